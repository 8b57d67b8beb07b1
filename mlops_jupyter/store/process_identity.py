"""Which process a row of the ledger belongs to, and whether that still runs.

A session and a run are rows that a process owns, and a later process may have the same number: so a process is told by
its number and the time of its start. The one module of this room that uses a library, psutil, which is imported when it
is asked.
"""

from __future__ import annotations

import os

SLACK_SECONDS = 5.0
"""By how much a process's start may seem to change when the machine's clock is set."""


def identity() -> dict[str, float]:
    """Return what tells this process from a later one with the same number: `pid` and `started`."""
    import psutil

    return {"pid": os.getpid(), "started": psutil.Process().create_time()}


def is_running(owner: object) -> bool:
    """Return whether the process with that `identity` still runs; False for what is no identity."""
    import psutil

    if not isinstance(owner, dict):
        return False
    try:
        began = _start_time(int(owner["pid"]))
        return began is not None and abs(began - float(owner["started"])) < SLACK_SECONDS
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def was_running(pid: int, moment: float) -> bool:
    """Return whether a process runs that has that number, and had begun at that moment (seconds since the epoch)."""
    import psutil

    try:
        began = _start_time(pid)
    except psutil.AccessDenied:  # it runs, as somebody else's
        return True
    return began is not None and began <= moment + SLACK_SECONDS


def _start_time(pid: int) -> float | None:
    """Return when a process began, in seconds since the epoch; None if there is none, or it has ended.

    A process that has ended but that its parent has not waited for has ended.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
