"""What people and programs are told: progress on the standard error, one answer on the standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ..model.events import StepEvent, StepStatus
from ..storage.store import Facts, Store
from ..tables import aligned


def event_as_json(event: StepEvent) -> dict[str, Any]:
    """Return an event as JSON."""
    facts = {"step": event.step, "status": event.status.value, "seconds": round(event.seconds, 6)}
    return {**facts, "error": None if event.error is None else dict(event.error)}


def print_event(event: StepEvent) -> None:
    """Write a line of progress; under a failure the lines of the pipeline's own code that led to it."""
    line = f"{event.step}: {event.status.value}"
    if event.status not in (StepStatus.RUNNING, StepStatus.SKIPPED):
        line += f" ({event.seconds:.2f} s)"
    if event.error:
        line += f": {event.error['type']}: {event.error['message']}"
        line += "".join(f"\n    {row}" for row in event.error.get("traceback", "").splitlines()[:-1])
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def print_row(name: str, row: Facts) -> None:
    """Write a line of progress for one of many runs."""
    error = f": {row['error']}" if row["error"] else ""
    sys.stderr.write(f"{name}={row['value']}: {row['status']} ({row['seconds']:.2f} s){error}\n")
    sys.stderr.flush()


def sweep_table(name: str, rows: Sequence[Facts]) -> str:
    """Return what many runs gave as a table of text: a line each, in the order of their values."""
    outputs = list(dict.fromkeys(output for row in rows for output in row["outputs"]))
    lines = [[name, "status", *outputs]]
    for row in rows:
        cells = (
            json.dumps(row["outputs"][one], ensure_ascii=False) if one in row["outputs"] else "" for one in outputs
        )
        lines.append([str(row["value"]), row["status"], *cells])
    return aligned(lines)


def print_log(store: Store, run: str, step: str) -> None:
    """Let an orchestrator's log hold what the step printed."""
    with suppress(FileNotFoundError):
        sys.stderr.write(store.read(run, f"logs/{step}.txt").decode(errors="replace"))


class Stdout:
    """Keeps the standard output for the answer: what imports print meanwhile, also from C, goes to the other."""

    def __enter__(self) -> Stdout:
        sys.stdout.flush()
        self._stdout, sys.stdout = sys.stdout, sys.stderr
        self._kept = os.dup(1)
        os.dup2(2, 1)
        return self

    def __exit__(self, *error: object) -> None:
        self.give_back()
        os.close(self._kept)

    def give_back(self) -> None:
        """Make the standard output what it was."""
        sys.stdout = self._stdout
        os.dup2(self._kept, 1)

    def write(self, line: str) -> None:
        """Write a line of the answer."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
