"""`mlops-jupyter ci`: review notebooks in the pull requests of their repository."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from mlops_jupyter import __version__
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export import options, review
from mlops_jupyter.services.export.emit.templates import Template

FILES = {"github": Path(".github", "workflows", "notebooks.yml"), "gitlab": Path("notebooks.gitlab-ci.yml")}
"""Platform -> path of its workflow file in the repository."""


def add_to(verbs: Any) -> None:
    """Declare the verbs."""
    below = verbs.add_parser("ci", help="review notebooks in pull requests").add_subparsers(
        metavar="VERB", required=True
    )
    init = below.add_parser("init", help="add the workflow that exports, verifies and comments in each pull request")
    init.add_argument("platform", choices=FILES, help="where the repository is kept")
    init.add_argument("--folder", type=Path, default=Path(), help="the repository's top folder; default: this one")
    init.add_argument("--force", action="store_true", help="replace a file that is there")
    init.set_defaults(act=act_init)
    verb = below.add_parser("review", help="export and verify notebooks, and write what changed since a commit")
    verb.add_argument("base", help="the commit to compare with")
    verb.add_argument("notebooks", nargs="*", type=Path, help="default: all .ipynb files that git tracks")
    verb.add_argument("--output", "-o", type=Path, default=Path("review.md"), help="the Markdown file to write")
    verb.add_argument("--timeout", type=float, default=None, metavar="SECONDS", help="for one cell; default: none")
    verb.set_defaults(act=act_review)


def act_init(args: argparse.Namespace) -> int:
    """Write the workflow file and print what is left to do; return 0."""
    path = args.folder / FILES[args.platform]
    if path.exists() and not args.force:
        raise UserError(f"{str(path)!r} is there: look at it, then give --force to replace it")
    template = Template(resources.files(review).joinpath(f"{args.platform}.yml").read_text(encoding="utf-8"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.substitute(VERSION=__version__), encoding="utf-8")
    except OSError as fault:
        raise UserError(f"cannot write {str(path)!r}: {fault.strerror}") from fault
    print(f"{path}: commit it; the next pull request is reviewed")
    if args.platform == "gitlab":
        print(f"  note: name it in .gitlab-ci.yml: include: {{local: {path.name}}}")
    return 0


def act_review(args: argparse.Namespace) -> int:
    """Review the notebooks; return 0 if every one exports and is proven, else 1."""
    repository = Path(_git("rev-parse", "--show-toplevel").strip())
    chosen = [path.resolve().relative_to(repository) for path in args.notebooks]
    paths = chosen or [
        Path(name) for name in _git("-C", str(repository), "ls-files", "-z", "*.ipynb").split("\0") if name
    ]
    with (
        tempfile.TemporaryDirectory(prefix="review-") as folder,
        _worktree(repository, args.base, Path(folder, "base")) as base,
    ):
        reviews = [
            _reviewed(path, repository, base, Path(folder, str(n)), args.timeout) for n, path in enumerate(paths)
        ]
    args.output.write_text(review.page([text for text, _ in reviews]), encoding="utf-8")
    good = all(proven for _, proven in reviews)
    print(f"{args.output}: {len(reviews)} notebooks, {'all proven' if good else 'not all proven'}")
    return 0 if good else 1


def _reviewed(path: Path, here: Path, base: Path, folder: Path, timeout: float | None) -> tuple[str, bool]:
    """Return the section of the review on one notebook, and whether it is proven."""
    from mlops_jupyter.services.export.run.verify import verify

    print(path, file=sys.stderr)
    try:
        after = _exported(here / path, folder / "after", timeout)
        proof = verify(after)
    except UserError as fault:
        return review.refused(str(path), str(fault)), False
    before, reason = None, ""
    if (base / path).exists():
        try:
            before = _exported(base / path, folder / "before", timeout)
        except UserError as fault:
            reason = f"\n\nAs it was, it did not export: {review.code(str(fault))}"
    return review.section(str(path), proof, before, after) + reason, proof.proven


def _exported(notebook: Path, output: Path, timeout: float | None) -> Path:
    from mlops_jupyter.surfaces.cli.headless import export

    wish = {**options.DEFAULTS, "output": str(output), "targets": ["python"], "name": notebook.stem}
    export(notebook, wish, timeout, say=lambda line: print(f"  {line}", file=sys.stderr))
    return output


@contextmanager
def _worktree(here: Path, commit: str, folder: Path) -> Iterator[Path]:
    """Yield a temporary worktree of the repository at a commit."""
    _git("-C", str(here), "worktree", "add", "--quiet", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        _git("-C", str(here), "worktree", "remove", "--force", str(folder))


def _git(*words: str) -> str:
    try:
        result = subprocess.run(["git", *words], capture_output=True, text=True)
    except OSError as fault:
        raise UserError(f"git cannot be started ({fault.strerror}): install it") from fault
    if result.returncode:
        raise UserError(f"git {words[-1]!r}: {' '.join(result.stderr.split())}")
    return result.stdout
