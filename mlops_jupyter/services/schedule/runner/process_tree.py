"""The processes of a run, found by a mark in their environment: none escapes by changing its group or parent."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

MARK = "MLOPS_JUPYTER_SCHEDULED_RUN"
"""Environment variable that holds the run's id in each of its processes."""

CLOCK_SLACK = 2.0
"""Seconds by which the start time of one process may seem to change when the machine's clock is set."""


def identity() -> dict[str, float]:
    """Return what tells this process from a later one with the same number: `pid` and `started`."""
    import psutil

    return {"pid": os.getpid(), "started": psutil.Process().create_time()}


def lives(owner: object) -> bool:
    """Whether the process with that `identity` is still there."""
    import psutil

    if not isinstance(owner, dict):
        return False
    try:
        process = psutil.Process(int(owner["pid"]))
        same = abs(process.create_time() - float(owner["started"])) < CLOCK_SLACK
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def terminate(mark: str, grace: float) -> None:
    """Ask all processes of the run to end (SIGTERM), wait up to `grace` seconds, then kill those that are left."""
    deadline = time.monotonic() + grace
    asked: set[psutil.Process] = set()
    while (found := _tree(mark)) and time.monotonic() < deadline:
        for process in found - asked:
            _signal(process, kill=False)
        asked |= found
        time.sleep(0.05)
    while found:
        for process in found:
            _signal(process, kill=True)
        time.sleep(0.02)
        found = _tree(mark)  # one may have started another in between


def _tree(mark: str) -> set[psutil.Process]:
    """Those that carry the mark, and their descendants: a child may have been given a clean environment."""
    import psutil

    found: set[psutil.Process] = set()
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.update([process, *process.children(recursive=True)])
        except (psutil.Error, OSError):  # gone meanwhile, or another user's
            continue
    return {process for process in found if _runs(process)}


def _runs(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(process: psutil.Process, kill: bool) -> None:
    import psutil

    with suppress(psutil.Error):  # gone meanwhile
        process.kill() if kill else process.terminate()
