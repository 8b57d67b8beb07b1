"""The processes of a run, found by a mark in their environment: none escapes by changing its group or parent.

The mark is inherited, and what was given a clean environment is found as a descendant of what has it.

The decisions behind it: ARCHITECTURE.md, "Schedule".
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

MARK = "MLOPS_JUPYTER_SCHEDULED_RUN"
"""Environment variable that holds the run's id in each of its processes."""

KILL_SECONDS = 5.0
"""How long a process may take to go once it is killed. One that may not be killed (another user's), or cannot be (it
waits for a disk that does not answer), would be waited for without end."""

ASK_SECONDS = 0.05
"""How often it is asked which processes are left: one may start another in between."""


def terminate(run: str, grace: float, child: subprocess.Popen[bytes] | None = None) -> list[int]:
    """End all processes of a run; return the pids of those that could not be ended.

    Each is asked to end (SIGTERM); those that are left after `grace` seconds are killed.

    Parameters
    ----------
    child : the run's first process, if this process has started it: its exit code is kept for who waits for it.
    """
    asked: set[psutil.Process] = set()
    deadline = time.monotonic() + grace
    while (running := _find(run)) and time.monotonic() < deadline:
        for process in running - asked:
            _signal(process, kill=False)
        asked |= running
        _wait(running, child)
    deadline = time.monotonic() + KILL_SECONDS
    while running and time.monotonic() < deadline:
        for process in running:
            _signal(process, kill=True)
        _wait(running, child)
        running = _find(run)
    return sorted(process.pid for process in running)


def _find(run: str) -> set[psutil.Process]:
    """Return the processes that carry the run's mark, and their descendants."""
    import psutil

    family: set[psutil.Process] = set()
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == run and process.status() != psutil.STATUS_ZOMBIE:
                family.update([process, *process.children(recursive=True)])
        except (psutil.Error, OSError):  # gone meanwhile, or another user's
            continue
    return {process for process in family if _runs(process)}


def _runs(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(process: psutil.Process, kill: bool) -> None:
    import psutil

    with suppress(psutil.Error):  # gone meanwhile, or not ours to end
        process.kill() if kill else process.terminate()


def _wait(processes: Iterable[psutil.Process], child: subprocess.Popen[bytes] | None) -> None:
    """Wait until the processes have gone, or a moment."""
    import psutil

    own = [process for process in processes if child is not None and process.pid == child.pid]
    others = [process for process in processes if process not in own]
    psutil.wait_procs(others, timeout=ASK_SECONDS)
    if own and child is not None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(ASK_SECONDS)
