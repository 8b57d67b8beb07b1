"""Whether the process that opened a session is still there."""

from __future__ import annotations

import os
import time
from pathlib import Path

SLACK_SECONDS = 5.0
"""By how much the two clocks that are compared may differ."""


def is_alive(pid: int, session_started: float) -> bool:
    """Say whether process `pid` runs and is the one that began the session, not a later one of the same number.

    Parameters
    ----------
    session_started : seconds since the epoch.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as somebody else's
    began = _began(pid)
    return began is None or began <= session_started + SLACK_SECONDS


def _began(pid: int) -> float | None:
    """Return when a process began, in seconds since the epoch; None where the system does not say (proc(5))."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if after_name[0] in "ZX":
            return float("inf")  # dead, not yet buried
        ticks = int(after_name[19])
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return time.time() - since_boot + ticks / os.sysconf("SC_CLK_TCK")
