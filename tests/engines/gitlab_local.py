"""Runs pipelines of GitLab on this machine, with `gitlab-ci-local` and no container."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tests.engines.demos import ROOT, engine
from tests.engines.machine import git, python

NODE = ROOT / ".venvs" / "node" / "bin"
PROGRAMS = Path(__file__).with_name("node") / "node_modules" / ".bin"
"""Programs of Node, installed by `make tests/engines/node/node_modules/.package-lock.json`."""


def pipeline(folder: Path, source: str, code: int = 0, variables: Mapping[str, str] | None = None) -> str:
    """Run the pipeline of a repository; return what it said. What its jobs keep comes to the folder itself.

    Parameters
    ----------
    source : what GitLab would start it for: schedule, web, merge_request_event.
    variables : as they are typed into GitLab's form, or set for the project.
    """
    if "origin" not in git(folder, "remote"):
        git(folder, "remote", "add", "origin", "https://gitlab.example.com/group/project.git")
    given = {"CI_PIPELINE_SOURCE": source, **(variables or {})}
    words = [word for name, value in given.items() for word in ("--variable", f"{name}={value}")]
    path = os.pathsep.join(map(str, (python(), NODE, os.environ["PATH"])))
    options = ("--force-shell-executor", "--shell-isolation", "--concurrency", "1")
    said = node("gitlab-ci-local", *options, *words, cwd=folder, code=code, PATH=path, HOME=str(folder.parent))
    return re.sub(r"\x1b\[[\d;]*m", "", said)


def node(program: str, *words: str | Path, cwd: Path, code: int = 0, **more: str) -> str:
    """Run a program of Node; return what it printed."""
    assert (PROGRAMS / program).exists(), f"{program} is not installed: run `make test` or `make engines`"
    path = os.pathsep.join(map(str, (NODE, os.environ["PATH"])))
    return engine(PROGRAMS / program, *words, cwd=cwd, code=code, **{"PATH": path, **more})
