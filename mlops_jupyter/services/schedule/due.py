"""Which tick of a schedule should run now, by the ledger alone: so every process that asks gets the same answer.

The decisions behind it: ARCHITECTURE.md, "Schedule".
"""

from __future__ import annotations

from datetime import datetime, time

from mlops_jupyter.services.cron.ticks import zone
from mlops_jupyter.services.schedule import ticks
from mlops_jupyter.services.schedule.models import Catchup, Schedule
from mlops_jupyter.services.schedule.options import start_day
from mlops_jupyter.store.ledger import Ledger

ON_TIME_SECONDS = 60.0
"""With `Catchup.NONE`, a tick that is older does not run."""

_COVERED = """
SELECT MAX(due) AS due FROM schedule_run
WHERE schedule = ? AND due <= ? AND json_extract(outcome, '$.trigger') = 'clock'
"""
_LOST = """
SELECT due FROM schedule_run
WHERE schedule = ? AND due = ? AND status = 'lost' AND json_extract(outcome, '$.again') IS NULL
AND json_extract(outcome, '$.left_running') IS NULL
"""
_HAS_RUN = "SELECT 1 FROM schedule_run WHERE schedule = ? AND due = ?"
_UNDER_WAY_THEN = """
SELECT COUNT(*) AS runs FROM schedule_run
WHERE schedule = :schedule AND json_extract(outcome, '$.trigger') = 'clock' AND COALESCE(started, due) <= :then
AND (ended > :then OR ended IS NULL AND status = 'running')
"""
_EVENTS = {
    "data": "SELECT MAX(at) AS at FROM schedule_arrival WHERE schedule = :schedule AND at <= :now",
    "after": """
        SELECT MAX(r.ended) AS at FROM schedule_run r JOIN schedule s ON s.id = r.schedule
        WHERE s.package = :what AND r.status = 'succeeded' AND r.ended <= :now
    """,
    "drift": """
        SELECT MAX(time) AS at FROM audit
        WHERE verb = 'drift' AND subject = :what AND time <= :now AND json_extract(detail, '$.verdict') = 'drifted'
    """,
}


def due_tick(ledger: Ledger, schedule: Schedule, now: float) -> float | None:
    """Return the tick that should run now, in seconds since the epoch, or None.

    By the clock: the last tick that is past and not covered. A tick is covered if it came before the schedule was made
    or resumed, if it has run, or if it came while as many runs were under way as may be at once. So of several missed
    ticks only the last is due: they run once. `Catchup.ALL`: the first tick that has not run.
    By an event: the time of the last event, unless a run has started for it. No event is lost to a run under way.
    A run that was lost with its process is due once more, if it was the last one.
    What lies in the future was written while the clock was ahead, and is left out of account.
    """
    if schedule.paused:
        return None
    covered = ledger.query(_COVERED, (schedule.id, now))[0]["due"] or 0.0
    if ledger.query(_LOST, (schedule.id, covered)):
        return float(covered)
    since = schedule.since if schedule.since <= now else now - ON_TIME_SECONDS  # it goes on as if it had just been made
    if not ticks.timed(schedule):
        return _event_tick(ledger, schedule, max(since, covered), now)
    if schedule.policy.catchup is Catchup.ALL:
        return _oldest_missed_tick(ledger, schedule, now, max(_catchup_start(schedule, since), covered))
    tick = ticks.last(schedule, now)
    if tick is None or tick <= max(since, covered) or ledger.query(_HAS_RUN, (schedule.id, tick)):
        return None
    if schedule.policy.catchup is Catchup.NONE and now - tick > ON_TIME_SECONDS:
        return None
    runs_then = ledger.query(_UNDER_WAY_THEN, {"schedule": schedule.id, "then": tick})[0]["runs"]
    return None if runs_then >= schedule.spec.concurrency else tick


def _oldest_missed_tick(ledger: Ledger, schedule: Schedule, now: float, start: float) -> float | None:
    tick = ticks.after(schedule, start)
    while tick is not None and tick <= now:
        if not ledger.query(_HAS_RUN, (schedule.id, tick)):  # a backfill may have come first
            return tick
        tick = ticks.after(schedule, tick)
    return None


def _catchup_start(schedule: Schedule, since: float) -> float:
    """Return from when missed ticks count: the start day of the plan, else when the schedule was made or resumed."""
    if not schedule.spec.start:
        return since
    midnight = datetime.combine(start_day(schedule.spec), time(), zone(schedule.spec.timezone))
    return max(midnight.timestamp() - 1e-3, min(schedule.resumed, since))


def _event_tick(ledger: Ledger, schedule: Schedule, start: float, now: float) -> float | None:
    kind = next(kind for kind in _EVENTS if getattr(schedule.spec, kind))
    values = {"schedule": schedule.id, "what": getattr(schedule.spec, kind), "now": now}
    at = ledger.query(_EVENTS[kind], values)[0]["at"]
    return at if at is not None and at > start else None
