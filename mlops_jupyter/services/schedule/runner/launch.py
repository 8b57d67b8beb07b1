"""From a tick to its record: claim it, run the bundle, again if it may be tried again, write down how it ended."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.cron.ticks import zone
from mlops_jupyter.services.schedule import bundle as bundles
from mlops_jupyter.services.schedule.models import RunState, Schedule, ScheduledRun, Trigger
from mlops_jupyter.services.schedule.run_store import LOGS, RunStore
from mlops_jupyter.services.schedule.runner import bundle_process

FULL_SECONDS = 600.0
"""How long it is tried to write down how a run ended, where the ledger cannot be written."""

LONGEST_PAUSE = 3600.0
"""Seconds: the pause between two tries grows no further."""


@dataclass(frozen=True)
class Launcher:
    """Runs bundles of one project. `folder` is its `.mlops`; `timeout` (seconds) is for schedules without their own."""

    runs: RunStore
    folder: Path
    tracking_uri: str
    timeout: float | None

    def launch(
        self, schedule: Schedule, due: float, trigger: Trigger, stopped: Callable[[], bool]
    ) -> ScheduledRun | None:
        """Run the bundle and return the record; None if it may not run. Nothing escapes unrecorded."""
        run = self.runs.claim(schedule, due, trigger)
        if run is None:
            return None
        status = RunState.FAILED
        outcome: dict[str, object] = {"reason": "interrupted"}
        try:
            ending, tries = self._tried(self._order(run, schedule, due), schedule, stopped)
            status = RunState.FAILED if ending.reason else RunState.SUCCEEDED
            outcome = {**ending.printed, "exit_code": ending.exit_code, "reason": ending.reason or None, "tries": tries}
        except Exception as fault:  # recorded instead: nobody watches a scheduler's terminal
            outcome["reason"] = str(fault) if isinstance(fault, UserError) else f"{type(fault).__name__}: {fault}"
        finally:
            self._finish(run, schedule, status, {**outcome, "trigger": trigger.value}, stopped)
        return self.runs.get(run)

    def _finish(
        self, run: str, schedule: Schedule, status: RunState, outcome: dict[str, object], stopped: Callable[[], bool]
    ) -> None:
        """Write down how it ended; on a full disk as soon as there is room, or it would count as going on."""
        deadline = time.monotonic() + FULL_SECONDS
        while True:
            try:
                return self.runs.finish(run, schedule, status, outcome)
            except sqlite3.OperationalError:
                if stopped() or time.monotonic() > deadline:
                    raise  # once this process has ended, it counts as lost
                time.sleep(1.0)

    def _tried(
        self, order: bundle_process.RunRequest, schedule: Schedule, stopped: Callable[[], bool]
    ) -> tuple[bundle_process.RunOutcome, int]:
        """Run it as often as it may be; return how it ended, and how many tries that took."""
        pause = schedule.policy.tries.backoff_seconds or 0.0
        for number in range(1, schedule.policy.tries.retries + 2):
            ending = bundle_process.perform(order, stopped)
            if not ending.reason or stopped() or number > schedule.policy.tries.retries:
                break
            until = time.monotonic() + min(pause * 2 ** (number - 1), LONGEST_PAUSE)
            while time.monotonic() < until and not stopped():
                time.sleep(0.1)
            if stopped():
                break
        return ending, number

    def _order(self, run: str, schedule: Schedule, due: float) -> bundle_process.RunRequest:
        bundle = bundles.read(schedule.bundle)
        mark = hashlib.blake2b(str(schedule.bundle).encode(), digest_size=4).hexdigest()
        tick = datetime.fromtimestamp(due, zone(schedule.timezone)).isoformat(timespec="seconds")
        return bundle_process.RunRequest(
            run=run,
            bundle=bundle,
            store=self.folder / "store" / f"{bundle.package}-{mark}",
            parameters={**schedule.parameters, **({schedule.policy.tick: tick} if schedule.policy.tick else {})},
            data=schedule.data,
            log=self.folder / LOGS / f"{run}.txt",
            tracking_uri=self.tracking_uri,
            timeout=schedule.policy.tries.timeout_seconds or self.timeout,
        )
