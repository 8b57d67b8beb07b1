"""From a tick to its record: claim the tick, run the bundle, with retries, and record the outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.hashing import path_mark
from mlops_jupyter.runtime.model.backoff import Backoff
from mlops_jupyter.services.cron.ticks import zone
from mlops_jupyter.services.schedule import bundle as bundles
from mlops_jupyter.services.schedule.models import RunState, Schedule, ScheduledRun, Trigger
from mlops_jupyter.services.schedule.run_store import LOGS, RunStore
from mlops_jupyter.services.schedule.runner.bundle_process import RunOutcome, RunRequest, run_bundle
from mlops_jupyter.store.ledger import LedgerError

FULL_SECONDS = 600.0
"""How long recording the end of a run is tried again, where the ledger cannot be written."""

LONGEST_PAUSE_SECONDS = 3600.0
"""The pause between two tries of a run grows no further."""

PAUSE_GROWTH = 2
"""Each pause is so many times the one before."""


@dataclass(frozen=True)
class Launcher:
    """Runs bundles of one project and records how that ended.

    Attributes
    ----------
    folder : the project's `.mlops`.
    timeout : seconds after which a try of a schedule without its own timeout is ended; None lets it run.
    """

    runs: RunStore
    folder: Path
    tracking_uri: str
    timeout: float | None

    def launch(
        self, schedule: Schedule, due: float, trigger: Trigger, stopped: Callable[[], bool]
    ) -> ScheduledRun | None:
        """Run the bundle and return the record; None if it may not run. No error escapes: it is recorded instead."""
        run = self.runs.claim(schedule, due, trigger)
        if run is None:
            return None
        status = RunState.FAILED
        record: dict[str, object] = {"reason": "interrupted"}
        try:
            outcome, tries = self._run_with_retries(self._request(run, schedule, due), schedule, stopped)
            status = RunState.FAILED if outcome.reason else RunState.SUCCEEDED
            record = {**_facts(outcome), "tries": tries}
        except Exception as error:  # recorded instead: nobody watches a scheduler's terminal
            record["reason"] = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        finally:
            self._finish(run, schedule, status, {**record, "trigger": trigger.value}, stopped)
        return self.runs.get(run)

    def _finish(
        self, run: str, schedule: Schedule, status: RunState, record: dict[str, object], stopped: Callable[[], bool]
    ) -> None:
        """Record how the run ended; on a full disk as soon as there is room, or it would count as under way."""
        deadline = time.monotonic() + FULL_SECONDS
        while True:
            try:
                return self.runs.finish(run, schedule, status, record)
            except LedgerError:
                if stopped() or time.monotonic() > deadline:
                    raise  # once this process has ended, the run counts as lost
                time.sleep(1.0)

    def _run_with_retries(
        self, request: RunRequest, schedule: Schedule, stopped: Callable[[], bool]
    ) -> tuple[RunOutcome, int]:
        """Run the bundle until it succeeds or may not be tried again; return the last outcome and the number of tries.

        It is not tried again beside what is left of the last try.
        """
        tries = schedule.policy.tries
        backoff = Backoff(tries.backoff_seconds or 0.0, PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
        for number in range(1, tries.retries + 2):
            outcome = run_bundle(request, stopped)
            if not outcome.reason or outcome.left_running or stopped() or number > tries.retries:
                break
            until = time.monotonic() + backoff.pause(number)
            while time.monotonic() < until and not stopped():
                time.sleep(0.1)
            if stopped():
                break
        return outcome, number

    def _request(self, run: str, schedule: Schedule, due: float) -> RunRequest:
        bundle = bundles.read(schedule.bundle)
        place = path_mark(schedule.bundle)
        tick = datetime.fromtimestamp(due, zone(schedule.timezone)).isoformat(timespec="seconds")
        return RunRequest(
            run=run,
            bundle=bundle,
            store=self.folder / "store" / f"{bundle.package}-{place}",
            parameters={**schedule.parameters, **({schedule.policy.tick: tick} if schedule.policy.tick else {})},
            data=schedule.data,
            log=self.folder / LOGS / f"{run}.txt",
            tracking_uri=self.tracking_uri,
            timeout=schedule.policy.tries.timeout_seconds or self.timeout,
        )


def _facts(outcome: RunOutcome) -> dict[str, object]:
    """Return an outcome as the ledger keeps it."""
    left_running = {"left_running": outcome.left_running} if outcome.left_running else {}
    return {**outcome.report, "exit_code": outcome.exit_code, "reason": outcome.reason or None, **left_running}
