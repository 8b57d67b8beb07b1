"""Bring the notebooks onto this machine: source packages from the package index, unpacked; nothing of them is built."""

from __future__ import annotations

import copy
import hashlib
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def fetch(rows: Iterable[dict[str, str]], target: Path) -> list[str]:
    """Put each row's notebook under `target`; return what is missing or not as it was when the list was made."""
    target.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    for requirement in sorted({row["source"] for row in rows if not (target / row["path"]).exists()}):
        with tarfile.open(_download(requirement, target)) as archive:
            archive.extractall(target, filter="data")
    wrong = []
    for row in rows:
        notebook = target / row["path"]
        script = Path(str(notebook).replace("/examples_ipynb/", "/examples/")).with_suffix(".py")
        if not notebook.exists() and script.exists():
            _convert(script, notebook)
        if not notebook.exists() or hashlib.sha256(notebook.read_bytes()).hexdigest() != row["sha256"]:
            wrong.append(f"{row['id']}: {row['path']} is missing or different")
    return wrong


def _download(requirement: str, into: Path) -> Path:
    """Fetch a source archive through pip's configured index; `pip download` itself would run its build."""
    from pip._internal.commands import create_command
    from pip._internal.network.download import Downloader
    from pip._internal.req.constructors import install_req_from_line

    command: Any = create_command("download")
    options, _ = command.parse_args(["--quiet", "--no-deps", "--no-binary", requirement.split("==")[0], requirement])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options=options, session=session)
        best: Any = finder.find_requirement(install_req_from_line(requirement), False)
        path, _ = Downloader(session, "off")(best.link, str(into))
    return Path(path)


def _convert(script: Path, notebook: Path) -> None:
    """Write the notebook that sphinx-gallery offers for an example script."""
    from sphinx_gallery import gen_gallery
    from sphinx_gallery.notebook import jupyter_notebook
    from sphinx_gallery.py_source_parser import split_code_and_text_blocks

    _, blocks = split_code_and_text_blocks(str(script))
    settings = {**copy.deepcopy(gen_gallery.DEFAULT_GALLERY_CONF), "src_dir": "."}
    content = jupyter_notebook(blocks, settings, str(script.parent))
    content.setdefault("metadata", {})  # where there is none it comes last, as in the list's fingerprints
    notebook.parent.mkdir(parents=True, exist_ok=True)
    notebook.write_text(json.dumps(content, indent=1))
