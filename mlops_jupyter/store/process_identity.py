"""The identity of the process that owns a row of the ledger, and whether that process still runs.

Sessions and runs are rows that a process owns, and a later process may have the same pid: so the identity is the pid
with the start time. No other module of this room uses a library; psutil is imported when a function is called.

The decisions behind it: ARCHITECTURE.md, "Schedule".
"""

from __future__ import annotations

import os

SLACK_SECONDS = 5.0
"""By how much a process's start time may seem to change when the machine's clock is set."""


def identity() -> dict[str, float]:
    """Return the identity of this process: its `pid`, and `started` in seconds since the epoch."""
    import psutil

    return {"pid": os.getpid(), "started": psutil.Process().create_time()}


def is_running(owner: object) -> bool:
    """Return whether the process with an `identity` still runs; False for an object that is no identity."""
    import psutil

    if not isinstance(owner, dict):
        return False
    try:
        began = _start_time(int(owner["pid"]))
        return began is not None and abs(began - float(owner["started"])) < SLACK_SECONDS
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def was_running(pid: int, moment: float) -> bool:
    """Return whether a process with that pid runs that had started by `moment` (seconds since the epoch)."""
    import psutil

    try:
        began = _start_time(pid)
    except psutil.AccessDenied:  # it runs, as another user's
        return True
    return began is not None and began <= moment + SLACK_SECONDS


def _start_time(pid: int) -> float | None:
    """Return the start time of a process, in seconds since the epoch; None if it does not exist or is a zombie."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
