"""The ticks of schedules that go by the clock: a cron expression, or an interval counted from when it was made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from mlops_jupyter.services.cron import ticks as cron_ticks
from mlops_jupyter.services.schedule.models import Schedule


def timed(schedule: Schedule) -> bool:
    """Return whether a schedule goes by the clock; the others wait for an event."""
    return bool(schedule.spec.cron or schedule.spec.every_seconds)


def after(schedule: Schedule, start: float) -> float | None:
    """Return the first tick strictly after `start`, in seconds since the epoch; None if there is none."""
    spec = schedule.spec
    if spec.cron:
        tick = cron_ticks.next_after(spec.cron, spec.timezone, datetime.fromtimestamp(start, UTC))
        return tick.timestamp() if tick else None
    if spec.every_seconds:
        anchor = math.floor(schedule.created)
        return float(anchor + ((start - anchor) // spec.every_seconds + 1) * spec.every_seconds)
    return None


def last(schedule: Schedule, now: float) -> float | None:
    """Return the last tick at or before `now`, or None; it may lie before the schedule was made."""
    spec = schedule.spec
    if spec.cron:
        tick = cron_ticks.latest(spec.cron, spec.timezone, datetime.fromtimestamp(now, UTC))
        return tick.timestamp() if tick else None
    if spec.every_seconds:
        anchor = math.floor(schedule.created)
        return float(anchor + (now - anchor) // spec.every_seconds * spec.every_seconds)
    return None


def between(schedule: Schedule, start: float, end: float) -> Iterator[float]:
    """Yield the ticks from `start` on and before `end`, the oldest first."""
    tick = after(schedule, start - 1e-3)
    while tick is not None and tick < end:
        yield tick
        tick = after(schedule, tick)


def coming(schedule: Schedule, now: float) -> float | None:
    """Return the next tick that would run; None for a schedule that waits for an event or is paused."""
    return None if schedule.paused else after(schedule, max(now, schedule.since))
