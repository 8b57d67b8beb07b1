"""A schedule by the clock as a cron and a time zone, for systems that read crons otherwise, or an error if none fits.

Each system does another thing with a tick at a time that a change of the clocks skips or repeats: see `check_steady`.
"""

from __future__ import annotations

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import every, every_hour, spelled
from mlops_jupyter.services.cron.dst import check_steady, in_utc, utc_offsets
from mlops_jupyter.services.cron.expression import parse
from mlops_jupyter.services.cron.ticks import check, zone


def cron_and_zone(schedule: ScheduleSpec | None, system: str) -> tuple[str, str] | None:
    """Return the cron and the time zone of a schedule, for a system with a clock of its own; None if it has none.

    Raises
    ------
    UserError
        The system (named in the line) cannot fire so.

    Examples
    --------
    >>> cron_and_zone(ScheduleSpec("0 6 * * mon", "Europe/Oslo"), "Argo")
    ('0 6 * * 1', 'Europe/Oslo')
    >>> cron_and_zone(ScheduleSpec(every_seconds=3600), "Argo")
    ('0 * * * *', 'UTC')
    """
    if schedule is None or not (schedule.cron or schedule.every_seconds):
        return None
    if schedule.every_seconds:
        return every(schedule, system), "UTC"
    check(schedule.cron)
    return steady_in_zone(schedule, system)


def in_zone(schedule: ScheduleSpec, system: str) -> tuple[str, str]:
    """Return a cron and its time zone, for systems that know zones but do not do as crontab when the clocks change.

    What fires in every hour of every day goes by the time that passes: it is given in UTC, where no clock changes.

    Raises
    ------
    UserError
        It never fires; a tick falls into a change of the clocks; or these change by parts of an hour.

    Examples
    --------
    >>> in_zone(ScheduleSpec("30 6 * * mon", "Europe/Oslo"), "Prefect")
    ('30 6 * * 1', 'Europe/Oslo')
    >>> in_zone(ScheduleSpec("*/20 * * * *", "America/St_Johns"), "Prefect")
    ('10,30,50 * * * *', 'UTC')
    """
    check(schedule.cron)
    if every_hour(parse(schedule.cron)) and len(utc_offsets(schedule.timezone)) > 1:
        return in_utc(schedule, system), "UTC"
    return steady_in_zone(schedule, system)


def utc_or_zone(schedule: ScheduleSpec, system: str) -> tuple[str, str]:
    """Return a schedule's cron and the zone by whose clock it goes: UTC wherever that comes to the same.

    Raises
    ------
    UserError
        It fires at a time that the clocks of its zone skip or repeat.

    Examples
    --------
    >>> utc_or_zone(ScheduleSpec("0 6 * * 1", "Asia/Kolkata"), "Kubeflow")
    ('30 0 * * 1', 'UTC')
    >>> utc_or_zone(ScheduleSpec("0 6 * * 1", "Europe/Oslo"), "Kubeflow")
    ('0 6 * * 1', 'Europe/Oslo')
    """
    try:
        return in_utc(schedule, system), "UTC"
    except UserError:
        return steady_in_zone(schedule, system)


def steady_in_zone(schedule: ScheduleSpec, system: str) -> tuple[str, str]:
    """Return a cron and its own time zone; raise `UserError` if a change of its clocks skips or repeats a tick."""
    check_steady(schedule, system)
    return spelled(schedule, system), zone(schedule.timezone).key
