"""From a tick to its record: claim it, run the bundle, write down how it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.schedule import bundle as bundles
from mlops_jupyter.services.schedule import runner
from mlops_jupyter.services.schedule.record import Run, Schedule, Status, Trigger
from mlops_jupyter.services.schedule.runs import LOGS, Runs


@dataclass(frozen=True)
class Launcher:
    """Runs bundles of one project. `folder` is its `.mlops`; `timeout` is in seconds, None for no limit."""

    runs: Runs
    folder: Path
    tracking_uri: str
    timeout: float | None

    def launch(self, schedule: Schedule, due: float, trigger: Trigger, stopped: Callable[[], bool]) -> Run | None:
        """Run the bundle and return the record; None if another process has this tick. Nothing escapes unrecorded."""
        run = self.runs.claim(schedule, due, trigger)
        if run is None:
            return None
        status = Status.FAILED
        outcome: dict[str, object] = {"reason": "interrupted"}
        try:
            ending = runner.perform(self._order(run, schedule), stopped)
            status = Status.FAILED if ending.reason else Status.SUCCEEDED
            outcome = {**ending.printed, "exit_code": ending.exit_code, "reason": ending.reason or None}
        except Exception as fault:  # recorded instead: nobody watches a scheduler's terminal
            outcome["reason"] = str(fault) if isinstance(fault, UserError) else f"{type(fault).__name__}: {fault}"
        finally:
            self.runs.finish(run, status, {**outcome, "trigger": trigger.value})
        return self.runs.get(run)

    def _order(self, run: str, schedule: Schedule) -> runner.Order:
        bundle = bundles.read(schedule.bundle)
        mark = hashlib.blake2b(str(schedule.bundle).encode(), digest_size=4).hexdigest()
        return runner.Order(
            run=run,
            bundle=bundle,
            store=self.folder / "store" / f"{bundle.package}-{mark}",
            parameters=schedule.parameters,
            data=schedule.data,
            log=self.folder / LOGS / f"{run}.txt",
            tracking_uri=self.tracking_uri,
            timeout=self.timeout,
        )
