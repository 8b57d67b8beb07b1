"""What should run now, asked of the ledger alone: so every process that asks gets the same answer."""

from __future__ import annotations

from datetime import datetime, time

from mlops_jupyter.services.cron.ticks import zone
from mlops_jupyter.services.schedule import ticks
from mlops_jupyter.services.schedule.models import Catchup, Schedule
from mlops_jupyter.services.schedule.options import start
from mlops_jupyter.store.ledger import Ledger

ON_TIME_SECONDS = 60.0
"""With `Catchup.NONE`, a tick that is older does not run."""

_COVERED = (
    "SELECT MAX(due) AS due FROM schedule_run WHERE schedule = ? AND json_extract(outcome, '$.trigger') = 'clock'"
)
_HAS_RUN = "SELECT 1 FROM schedule_run WHERE schedule = ? AND due = ?"
_UNDER_WAY_THEN = """
SELECT COUNT(*) AS runs FROM schedule_run
WHERE schedule = :schedule AND json_extract(outcome, '$.trigger') = 'clock' AND COALESCE(started, due) <= :then
AND (ended > :then OR ended IS NULL AND status = 'running')
"""
_EVENTS = {
    "data": "SELECT MAX(at) AS at FROM schedule_arrival WHERE schedule = :schedule",
    "after": """
        SELECT MAX(r.ended) AS at FROM schedule_run r JOIN schedule s ON s.id = r.schedule
        WHERE s.package = :what AND r.status = 'succeeded'
    """,
    "drift": """
        SELECT MAX(time) AS at FROM audit
        WHERE verb = 'drift' AND subject = :what AND json_extract(detail, '$.verdict') = 'drifted'
    """,
}


def due(ledger: Ledger, schedule: Schedule, now: float) -> float | None:
    """Return the tick that should run now, in seconds since the epoch, or None.

    By the clock: the last tick that is past and not covered. Covered is what was before the schedule was made or
    resumed, what has run, and what fell into a time in which as many runs were under way as may be at once. So of
    several missed ticks only the last is due: they run once. `Catchup.ALL`: the first that has not run.
    By an event: when the last one came, unless a run has started for it. None is lost to a run that was under way.
    """
    if schedule.paused:
        return None
    covered = ledger.query(_COVERED, (schedule.id,))[0]["due"] or 0.0
    if not ticks.timed(schedule):
        return _event(ledger, schedule, covered)
    if schedule.policy.catchup is Catchup.ALL:
        return _oldest(ledger, schedule, now, covered)
    tick = ticks.last(schedule, now)
    if tick is None or tick <= max(schedule.since, covered) or ledger.query(_HAS_RUN, (schedule.id, tick)):
        return None
    if schedule.policy.catchup is Catchup.NONE and now - tick > ON_TIME_SECONDS:
        return None
    then = ledger.query(_UNDER_WAY_THEN, {"schedule": schedule.id, "then": tick})[0]["runs"]
    return None if then >= schedule.wanted.concurrency else tick


def _oldest(ledger: Ledger, schedule: Schedule, now: float, covered: float) -> float | None:
    tick = ticks.after(schedule, max(_begin(schedule), covered))
    while tick is not None and tick <= now:
        if not ledger.query(_HAS_RUN, (schedule.id, tick)):  # a backfill may have come first
            return tick
        tick = ticks.after(schedule, tick)
    return None


def _begin(schedule: Schedule) -> float:
    """From when ticks count: the day that a plan names for its catching up, else when the schedule was made."""
    if not schedule.wanted.start:
        return schedule.since
    midnight = datetime.combine(start(schedule.wanted), time(), zone(schedule.wanted.timezone))
    return max(midnight.timestamp() - 1e-3, schedule.resumed)


def _event(ledger: Ledger, schedule: Schedule, covered: float) -> float | None:
    kind = next(kind for kind in _EVENTS if getattr(schedule.wanted, kind))
    values = {"schedule": schedule.id, "what": getattr(schedule.wanted, kind)}
    at = ledger.query(_EVENTS[kind], values)[0]["at"]
    return at if at is not None and at > max(schedule.since, covered) else None
