"""Files in the system's temporary folder: what one step writes and another reads goes from step to step."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

FIXED = (
    ("# Write", "%%pipeline write --params n=1\nimport tempfile\npath = tempfile.gettempdir() + '/between.txt'\n"
     "with open(path, 'w') as file:\n    print(n * 10, file=file)\ndel file"),
    ("# Read", "%%pipeline read\ntext = open(tempfile.gettempdir() + '/between.txt').read().strip()"),
)  # fmt: skip

GENERATED = (
    ("# Write", "%%pipeline write --params n=1\nimport os, tempfile\nhandle, path = tempfile.mkstemp()\n"
     "os.close(handle)\nwith open(path, 'w') as file:\n    print(n * 10, file=file)\ndel file"),
    ("# Between", "%%pipeline between\nother = 1"),
    ("# Read", "%%pipeline read\ntext = open(path).read().strip()"),
)  # fmt: skip

OWN = (
    ("# Alone", "%%pipeline alone\nimport tempfile\nwith open(tempfile.gettempdir() + '/own.txt', 'w') as file:\n"
     "    print(3, file=file)\ndel file\ntext = open(tempfile.gettempdir() + '/own.txt').read().strip()"),
    ("# Other", "%%pipeline other\nmore = text * 2"),
)  # fmt: skip


FOLDER = (
    "# Write", "%%pipeline write --params n=1\nimport os, shutil, tempfile\nfolder = tempfile.mkdtemp()\n"
    "with open(folder + '/a.txt', 'w') as file:\n    print(n, file=file)\ndel file\ntext = str(n * 10)"
)  # fmt: skip

REMOVALS = {
    "removed, there or not": ("shutil.rmtree(folder, ignore_errors=True)\nlast = 1", 2),
    "it must be there": ("shutil.rmtree(folder)\nlast = 1", 1),
    "asked after, then removed": ("last = len(os.listdir(folder))\nshutil.rmtree(folder, ignore_errors=True)", 1),
    "read, then removed": ("last = int(open(folder + '/a.txt').read())\nshutil.rmtree(folder, ignore_errors=True)", 1),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a notebook that is not in the folder of temporary files."""
    for name in ("notebook", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "notebook"


def ran(bundle: Path, store: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "play", "run", "--store", str(store), "--run", "a", *arguments]
    ended = subprocess.run(command, cwd=bundle / "src", capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return json.loads((store / "a" / "outputs" / "text.json").read_text())


@pytest.mark.parametrize(("cells", "steps"), [(FIXED, 2), (GENERATED, 1)], ids=["of one name", "of a new name each"])
def test_a_file_between_steps_is_that_of_the_run(cells: Any, steps: int, folder: Path) -> None:
    answer = export(folder, cells, ["text"])
    assert "fault" not in answer, answer
    assert len(answer["steps"]) == steps
    for left in (folder.parent / "temporary").glob("*.txt"):
        left.unlink()
    assert verify(folder / "out").status == "identical"
    assert ran(folder / "out", folder / "first") == "10"
    assert ran(folder / "out", folder / "second", "-p", "n=7") == "70"
    assert ran(folder / "out", folder / "first", "-p", "n=7") == "70", "the cache has no step with the other file"


def test_a_file_of_one_step_alone_is_its_own_business(folder: Path) -> None:
    answer = export(folder, OWN, ["text", "more"])
    assert len(answer["steps"]) == 2
    text = (folder / "out" / "src" / "play" / "pipeline.py").read_text()
    assert "~file:" not in text


@pytest.mark.parametrize(("removal", "steps"), REMOVALS.values(), ids=REMOVALS)
def test_a_step_may_remove_what_another_wrote_if_it_comes_to_the_same_without(
    removal: str, steps: int, folder: Path
) -> None:
    answer = export(folder, (FOLDER, ("# Clean", f"%%pipeline clean\n{removal}")), ["text", "last"])
    assert "fault" not in answer, answer
    assert len(answer["steps"]) == steps
    pipeline = (folder / "out" / "src" / "play" / "pipeline.py").read_text()
    assert ('after=("write",)' in pipeline) == (steps == 2)
    assert "~file:" not in pipeline
    assert verify(folder / "out").status == "identical"
