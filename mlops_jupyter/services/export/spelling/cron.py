"""A schedule by the clock as a cron and the zone whose clock it goes by, for systems of three kinds, or a refusal.

Each system does another thing with a tick at a time that a change of the clocks skips or repeats: see `clocks.steady`.
"""

from __future__ import annotations

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Schedule
from mlops_jupyter.services.export.spelling.clocks import in_utc, offsets, steady
from mlops_jupyter.services.export.spelling.fields import every, every_hour, spelled
from mlops_jupyter.services.schedule.clock import check, zone
from mlops_jupyter.services.schedule.expression import parse


def timed(schedule: Schedule | None, system: str) -> tuple[str, str] | None:
    """Return the cron and the time zone of a schedule, for a system with a clock of its own; None if it has none.

    Raises
    ------
    UserError
        The system (named in the line) cannot fire so.

    Examples
    --------
    >>> timed(Schedule("0 6 * * mon", "Europe/Oslo"), "Argo"), timed(Schedule(every_seconds=3600), "Argo")
    (('0 6 * * 1', 'Europe/Oslo'), ('0 * * * *', 'UTC'))
    """
    if schedule is None or not (schedule.cron or schedule.every_seconds):
        return None
    if schedule.every_seconds:
        return every(schedule, system), "UTC"
    check(schedule.cron)
    return _there(schedule, system)


def settled(schedule: Schedule, system: str) -> tuple[str, str]:
    """Return a cron and its time zone, for systems that know zones but do not do as crontab when the clocks change.

    What fires in every hour of every day goes by the time that passes: it is given in UTC, where no clock changes.

    Raises
    ------
    UserError
        It never fires; a tick falls into a change of the clocks; or these change by parts of an hour.

    Examples
    --------
    >>> settled(Schedule("30 6 * * mon", "Europe/Oslo"), "Prefect")
    ('30 6 * * 1', 'Europe/Oslo')
    >>> settled(Schedule("*/20 * * * *", "America/St_Johns"), "Prefect")
    ('10,30,50 * * * *', 'UTC')
    """
    check(schedule.cron)
    if every_hour(parse(schedule.cron)) and len(offsets(schedule.timezone)) > 1:
        return in_utc(schedule, system), "UTC"
    return _there(schedule, system)


def placed(schedule: Schedule, system: str) -> tuple[str, str]:
    """Return a schedule's cron and the zone by whose clock it goes: UTC wherever that comes to the same.

    Raises
    ------
    UserError
        It fires at a time that the clocks of its zone skip or repeat.

    Examples
    --------
    >>> placed(Schedule("0 6 * * 1", "Asia/Kolkata"), "Kubeflow")
    ('30 0 * * 1', 'UTC')
    >>> placed(Schedule("0 6 * * 1", "Europe/Oslo"), "Kubeflow")
    ('0 6 * * 1', 'Europe/Oslo')
    """
    try:
        return in_utc(schedule, system), "UTC"
    except UserError:
        return _there(schedule, system)


def _there(schedule: Schedule, system: str) -> tuple[str, str]:
    """By the clock of its own zone."""
    steady(schedule, system)
    return spelled(schedule, system), zone(schedule.timezone).key
