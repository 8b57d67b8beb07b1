"""Runs workflows of GitHub on this machine, with `act` and no container."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.engines.demos import engine
from tests.engines.machine import python

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
