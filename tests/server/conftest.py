"""A real Jupyter server in this process with the extension on, and projects with something recorded."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

# Not `pytest_plugins`: its autouse fixtures would start an event loop and a server for every test of the project.
from pytest_jupyter.jupyter_server import *  # noqa: F403

from mlops_jupyter.core.ids import new_id
from mlops_jupyter.workspace import Workspace


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}}}


@dataclass
class Recorded:
    """A project whose ledger is written as a kernel writes it."""

    workspace: Workspace

    def session(self, notebook: str | None, pid: int | None = None, started: float | None = None) -> str:
        session = new_id()
        self.workspace.ledger.execute(
            "INSERT INTO session (id, notebook, pid, started) VALUES (?, ?, ?, ?)",
            (session, notebook, pid or os.getpid(), started or time.time()),
        )
        return session

    def execution(self, session: str, status: str = "ok", step: str | None = None, error: str | None = None) -> None:
        self.workspace.ledger.execute(
            "INSERT INTO execution (session, step, source, started, seconds, status, error, overhead)"
            " VALUES (?, ?, 'x = 1', 100.0, 0.5, ?, ?, 0.001)",
            (session, step, status, error),
        )

    def step(
        self,
        session: str,
        name: str,
        position: int,
        state: str,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
    ) -> None:
        self.workspace.ledger.execute(
            "INSERT INTO step_view (session, name, position, version, state, inputs, outputs, updated)"
            " VALUES (?, ?, ?, 'v1', ?, ?, ?, 100.0)",
            (session, name, position, state, json.dumps(inputs), json.dumps(outputs)),
        )

    def run(
        self,
        name: str,
        status: str = "finished",
        started: float = 100.0,
        metrics: Sequence[tuple[str, float | None]] = (),
        parameters: Mapping[str, str] | None = None,
    ) -> str:
        run = new_id()
        ledger = self.workspace.ledger
        ledger.execute(
            "INSERT INTO run (id, experiment, name, started, status) VALUES (?, 'churn', ?, ?, ?)",
            (run, name, started, status),
        )
        ledger.executemany(
            "INSERT INTO metric (run, key, value, time) VALUES (?, ?, ?, 100.0)", [(run, *m) for m in metrics]
        )
        ledger.executemany(
            "INSERT INTO param (run, key, value) VALUES (?, ?, ?)", [(run, *p) for p in (parameters or {}).items()]
        )
        return run


@pytest.fixture
def record():
    """Make (or open) the project of a folder, ready to be written to."""
    opened = []

    def make(folder: Path) -> Recorded:
        opened.append(Workspace(folder))
        return Recorded(opened[-1])

    yield make
    for workspace in opened:
        workspace.close()


@pytest.fixture
def notebook(jp_root_dir):
    """Put an empty notebook at a path within the server's root; return its absolute path."""

    def make(path: str) -> Path:
        file = jp_root_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
        return file

    return make
