"""Runs workflows of GitHub on this machine, with `act` and no container."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml
from uv import find_uv_bin

from tests.engines.demos import engine

ACTIONS = {
    "actions/setup-python@v6": {"": 'echo "$PYTHON" >> "$GITHUB_PATH"'},
    "actions/cache@v5": {
        "restore": 'if [ -d "$KEPT/cache" ]; then cp -r "$KEPT/cache/." .; fi',
        "save": 'mkdir -p "$KEPT/cache"; for path in $PATHS; do cp -r --parents "$path" "$KEPT/cache"; done',
    },
    "actions/upload-artifact@v6": {"": 'mkdir -p "$KEPT/$NAME"; cp -r $PATHS "$KEPT/$NAME/"'},
    "actions/download-artifact@v7": {"": 'cp -r "$KEPT/$NAME/." "$PATHS"'},
}
"""What stands for GitHub's own actions, which are not on this machine: shell lines that keep things in a folder."""


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


def act(
    folder: Path, event: str, workflow: str, *words: str, code: int = 0, inputs: Mapping[str, str] | None = None
) -> tuple[str, Path]:
    """Run a workflow of a repository for an event; return what it said, and where caches and artifacts were kept.

    Parameters
    ----------
    words : further ones of act's command line.
    inputs : as they are typed into GitHub's form.
    """
    kept = folder.parent / f"{folder.name}-kept"
    kept.mkdir(exist_ok=True)
    said = engine(
        "act", event, "-W", f".github/workflows/{workflow}", "-P", "ubuntu-24.04=-self-hosted", 
        *(word for name, value in (inputs or {}).items() for word in ("--input", f"{name}={value}")),
        *_actions(folder.parent / "actions"), "--env", f"KEPT={kept}", "--env", f"PYTHON={python()}", *words,
        cwd=folder, code=code, XDG_CACHE_HOME=str(folder.parent / "act"),
    )  # fmt: skip
    return re.sub(r"\x1b\[[\d;]*m", "", said), kept


def _actions(folder: Path) -> list[str]:
    words = []
    for action, parts in ACTIONS.items():
        home = folder / action.replace("/", "-")
        for part, script in parts.items():
            (home / part).mkdir(parents=True, exist_ok=True)
            env = {"NAME": "${{ inputs.name }}", "PATHS": "${{ inputs.path }}"}
            steps = [{"run": script, "shell": "bash -e {0}", "env": env}]
            facts = {"name": action, "inputs": {"name": {}, "path": {}}, "runs": {"using": "composite", "steps": steps}}
            (home / part / "action.yml").write_text(yaml.safe_dump(facts))
        words += ["--local-repository", f"{action}={home}"]
    return words
