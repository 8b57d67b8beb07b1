"""What a job of a CI system finds on its machine: a repository, and a Python of its own."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from uv import find_uv_bin


def repository(folder: Path) -> None:
    """Make a folder a repository with all of its files committed."""
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder)


def commit(folder: Path) -> str:
    """Commit all that is in the folder; return the commit."""
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "all")
    return git(folder, "rev-parse", "HEAD").strip()


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@functools.cache
def python() -> Path:
    """Return the programs of a Python of its own, with pip: as a job finds one on its machine."""
    folder = Path(tempfile.mkdtemp(prefix="ci-python-"))
    subprocess.run([find_uv_bin(), "venv", "--quiet", "--seed", "--python", sys.executable, folder / "env"], check=True)
    return folder / "env" / "bin"
