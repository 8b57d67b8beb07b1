"""Output of the command line: progress goes to the standard error, the one answer to the standard output."""

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
    """Return a step event as a JSON object."""
    facts = {"step": event.step, "status": event.status.value, "seconds": round(event.seconds, 6)}
    return {**facts, "error": None if event.error is None else dict(event.error)}


def print_event(event: StepEvent) -> None:
    """Write a line of progress for a step; below a failure, the traceback within the pipeline's own code."""
    line = f"{event.step}: {event.status.value}"
    if event.status not in (StepStatus.RUNNING, StepStatus.SKIPPED):
        line += f" ({event.seconds:.2f} s)"
    if event.error:
        line += f": {event.error['type']}: {event.error['message']}"
        line += "".join(f"\n    {row}" for row in event.error.get("traceback", "").splitlines()[:-1])
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def print_row(name: str, row: Facts) -> None:
    """Write a line of progress for one run of a sweep."""
    error = f": {row['error']}" if row["error"] else ""
    sys.stderr.write(f"{name}={row['value']}: {row['status']} ({row['seconds']:.2f} s){error}\n")
    sys.stderr.flush()


def sweep_table(name: str, rows: Sequence[Facts]) -> str:
    """Return the outputs of a sweep's runs as a text table, one line for each run, in the order of the rows."""
    outputs = list(dict.fromkeys(output for row in rows for output in row["outputs"]))
    lines = [[name, "status", *outputs]]
    for row in rows:
        values = row["outputs"]
        cells = (json.dumps(values[output], ensure_ascii=False) if output in values else "" for output in outputs)
        lines.append([str(row["value"]), row["status"], *cells])
    return aligned(lines)


def print_log(store: Store, run: str, step: str) -> None:
    """Copy a step's log to the standard error, so that the orchestrator's log has it too."""
    with suppress(FileNotFoundError):
        sys.stderr.write(store.read(run, f"logs/{step}.txt").decode(errors="replace"))


class Stdout:
    """Reserves the standard output for the answer: all other output, also of C code, goes to the standard error."""

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
        """Restore the standard output."""
        sys.stdout = self._stdout
        os.dup2(self._kept, 1)

    def write(self, line: str) -> None:
        """Write a line of the answer."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
