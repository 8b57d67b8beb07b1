"""The five fields of a cron in a form that every system reads alike, or an error that says why there is none.

What systems agree on: five fields of numbers, lists and ``*``, in which a day matches if day-of-month OR day-of-week
does where both are restricted. What they differ in: names, ranges, steps, 7 for Sunday, ``*/2`` beside a weekday.
"""

from __future__ import annotations

from itertools import pairwise

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.expression import Cron, parse

EVERY = (60, 24, 31, 12, 7)
"""How many numbers each field has."""

ALL_DAYS, ALL_WEEKDAYS = tuple(range(1, 32)), tuple(range(7))

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

Fields = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def fields(cron: Cron, system: str = "") -> Fields:
    """Return minutes, hours, days, months and weekdays such that a day matches if either of two restricted ones does.

    Parameters
    ----------
    system : the system's name, for the message; "" for a system in which a day may have to match both.

    Raises
    ------
    UserError
        A day must match both, and the system fires on either.
    """
    days, weekdays = cron.days, cron.weekdays
    if _both(cron) and not cron.either and system:
        raise UserError(
            f"a day must match both day-of-month and day-of-week in this cron, and {system} fires on either: "
            f"restrict one of them"
        )
    if cron.either and not _both(cron):  # either, and one of them is every day
        days, weekdays = ALL_DAYS, ALL_WEEKDAYS
    return cron.minutes, cron.hours, days, cron.months, weekdays


def _both(cron: Cron) -> bool:
    """Return whether a cron restricts both the day of the month and that of the week."""
    return len(cron.days) < EVERY[2] and len(cron.weekdays) < EVERY[4]


def each(cron: Cron) -> list[Fields]:
    """Return a cron as one or two that together fire as it does, for systems in which a day must match both fields."""
    minutes, hours, days, months, weekdays = fields(cron)
    if cron.either and _both(cron):
        return [(minutes, hours, days, months, ALL_WEEKDAYS), (minutes, hours, ALL_DAYS, months, weekdays)]
    return [(minutes, hours, days, months, weekdays)]


def every_hour(cron: Cron) -> bool:
    """Return whether a cron goes by the time that passes, every hour of every day; ``0 0-23 * * *`` is fixed times."""
    _, hours, days, months, weekdays = fields(cron)
    return cron.interval and (len(hours), len(days), len(months), len(weekdays)) == EVERY[1:]


def text(numbers: Fields) -> str:
    """Return five fields as a cron of numbers, lists and ``*``."""
    return " ".join(
        "*" if len(field) == count else ",".join(map(str, field)) for field, count in zip(numbers, EVERY, strict=True)
    )


def spelled(schedule: ScheduleSpec, system: str) -> str:
    """Return a schedule's cron in numbers, lists and ``*`` alone.

    Examples
    --------
    >>> spelled(ScheduleSpec("*/30 6 * jan mon-wed,sun"), "Argo")
    '0,30 6 * 1 0,1,2,3'
    """
    return text(fields(parse(schedule.cron), system))


def union(schedule: ScheduleSpec) -> list[str]:
    """Return `each` of a schedule's cron.

    Examples
    --------
    >>> union(ScheduleSpec("0 6 1 * mon"))
    ['0 6 1 * *', '0 6 * * 1']
    """
    return [text(numbers) for numbers in each(parse(schedule.cron))]


def every(schedule: ScheduleSpec, system: str) -> str:
    """Return an interval as a cron in UTC, where each interval is as long as the next.

    Raises
    ------
    UserError
        It is not whole minutes, or a day has no whole number of it.

    Examples
    --------
    >>> every(ScheduleSpec(every_seconds=6 * 3600), "Argo")
    '0 0,6,12,18 * * *'
    """
    minutes, seconds = divmod(schedule.every_seconds, 60)
    if seconds or not minutes or 1440 % minutes or (minutes > 60 and minutes % 60) or (minutes < 60 and 60 % minutes):
        raise UserError(
            f"{system} has no interval of {schedule.every_seconds} s: take one by which an hour or a day can be "
            f"divided, such as 15m, 1h, 6h or 1d"
        )
    days = ALL_DAYS, tuple(range(1, 13)), ALL_WEEKDAYS
    return text((tuple(range(0, 60, min(minutes, 60))), tuple(range(0, 24, max(1, minutes // 60))), *days))


def minutes(schedule: ScheduleSpec, system: str) -> int:
    """Return an interval in minutes, for systems that count minutes.

    Raises
    ------
    UserError
        It is not whole minutes.

    Examples
    --------
    >>> minutes(ScheduleSpec(every_seconds=6 * 3600), "Flyte")
    360
    """
    if schedule.every_seconds % 60:
        raise UserError(f"{system} counts minutes, and --every is {schedule.every_seconds} s: give it as 30m or 6h")
    return schedule.every_seconds // 60


def with_years(line: str, system: str) -> str:
    """Return five fields of numbers as Quartz and EventBridge have six: weekdays by name, ``?`` for the day not asked.

    Raises
    ------
    UserError
        Both days are restricted: they take one of them.

    Examples
    --------
    >>> with_years("0,30 6 * * 1,0", "Metaflow"), with_years("0 6 1 * *", "Metaflow")
    ('0,30 6 ? * MON,SUN *', '0 6 1 * ? *')
    """
    minute, hour, day, month, weekday = line.split()
    if weekday == "*":
        return f"{minute} {hour} {day} {month} ? *"
    if day != "*":
        raise UserError(f"{system} takes day-of-month or day-of-week, and this cron has both: restrict one of them")
    return f"{minute} {hour} ? {month} {','.join(WEEKDAYS[int(number)] for number in weekday.split(','))} *"


def check_gap(schedule: ScheduleSpec, least: int, system: str) -> None:
    """Raise `UserError` for a cron that fires more often than a system looks at its clock.

    Parameters
    ----------
    least : the fewest minutes between two ticks that the system keeps.
    """
    cron = parse(schedule.cron)
    ticks = sorted({(hour * 60 + minute) for hour in cron.hours for minute in cron.minutes})
    gaps = [later - earlier for earlier, later in pairwise([*ticks, ticks[0] + 24 * 60])]
    if min(gaps) < least:
        raise UserError(
            f"cron {schedule.cron!r} fires {min(gaps)} minutes apart, and {system} starts runs no more often than "
            f"every {least}: space it out"
        )
