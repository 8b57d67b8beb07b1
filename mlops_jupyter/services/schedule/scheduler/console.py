"""What the scheduler process prints."""

from __future__ import annotations

import sys
import time

from mlops_jupyter.services.schedule.models import ScheduledRun


def say(line: str) -> None:
    """Print a line with the time of day to stderr."""
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


def say_outcome(run: ScheduledRun) -> None:
    """Print how a run ended, how long it took and why it did not succeed."""
    seconds = (run.ended or 0.0) - (run.started or 0.0)
    say(f"{run.bundle.name} {run.status.value} in {seconds:.1f} s" + (f": {run.reason}" if run.reason else ""))
