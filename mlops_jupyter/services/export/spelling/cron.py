"""A schedule's cron expression in a form that every system reads alike, or a refusal that says why there is none.

What systems agree on: five fields of numbers, lists and ``*``, in which a day matches if day-of-month OR day-of-week
does where both are restricted. What they part in: names, ranges, steps, 7 for Sunday, ``*/2`` beside a weekday, and
what happens to a tick at a time that a change of the clocks skips or repeats.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Schedule
from mlops_jupyter.services.schedule.clock import check, zone
from mlops_jupyter.services.schedule.expression import Cron, parse

EVERY = (60, 24, 31, 12, 7)
"""How many numbers each field has."""

YEARS = range(2026, 2041)
"""Changes of the clocks are looked up for these."""

Fields = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def fields(cron: Cron, system: str = "") -> Fields:
    """Return minutes, hours, days, months and weekdays such that a day matches if either of two restricted ones does.

    Parameters
    ----------
    system : its name, for the refusal; "" where days may also have to match both.

    Raises
    ------
    UserError
        A day must match both, and the system fires on either.
    """
    days, weekdays = cron.days, cron.weekdays
    both_restricted = len(days) < EVERY[2] and len(weekdays) < EVERY[4]
    if both_restricted and not cron.either and system:
        raise UserError(
            f"a day must match both day-of-month and day-of-week in this cron, and {system} fires on either: "
            f"restrict one of them"
        )
    if cron.either and not both_restricted:  # either, and one of them is every day
        days, weekdays = tuple(range(1, 32)), tuple(range(7))
    return cron.minutes, cron.hours, days, cron.months, weekdays


def spelled(schedule: Schedule, system: str) -> str:
    """Return a schedule's cron in numbers, lists and ``*`` alone.

    Examples
    --------
    >>> spelled(Schedule("*/30 6 * jan mon-wed,sun"), "Argo")
    '0,30 6 * 1 0,1,2,3'
    """
    return _text(fields(parse(schedule.cron), system))


def _text(found: Fields) -> str:
    return " ".join(
        "*" if len(numbers) == count else ",".join(map(str, numbers))
        for numbers, count in zip(found, EVERY, strict=True)
    )


def every(schedule: Schedule, system: str) -> str:
    """Return an interval as a cron in UTC, where each interval is as long as the next.

    Raises
    ------
    UserError
        It is not whole minutes, or a day has no whole number of it.

    Examples
    --------
    >>> every(Schedule(every_seconds=6 * 3600), "Argo")
    '0 0,6,12,18 * * *'
    """
    minutes, seconds = divmod(schedule.every_seconds, 60)
    if seconds or not minutes or 1440 % minutes or (minutes > 60 and minutes % 60) or (minutes < 60 and 60 % minutes):
        raise UserError(
            f"{system} has no interval of {schedule.every_seconds} s: take one by which an hour or a day can be "
            f"divided, such as 15m, 1h, 6h or 1d"
        )
    days = tuple(range(1, 32)), tuple(range(1, 13)), tuple(range(7))
    return _text((tuple(range(0, 60, min(minutes, 60))), tuple(range(0, 24, max(1, minutes // 60))), *days))


def steady(schedule: Schedule, system: str) -> None:
    """Refuse a cron with ticks that a change of the clocks skips or repeats, for systems that do not do as crontab.

    One whose minutes are those of every hour of every day (``*/15 * * * *``) goes by the time that passes, everywhere.

    Raises
    ------
    UserError
        Names the first such tick, and a way out.
    """
    found = unsteady(schedule.cron, schedule.timezone)
    if found:
        day, hour, minute = found
        raise UserError(
            f"cron {schedule.cron!r} fires at {hour:02}:{minute:02} on {day}, a time that the clocks of "
            f"{schedule.timezone} skip or repeat, and {system} would not do as crontab does: take another hour, or UTC"
        )


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
    steady(schedule, system)
    return spelled(schedule, system), zone(schedule.timezone).key


@lru_cache(maxsize=256)
def unsteady(expression: str, timezone: str) -> tuple[date, int, int] | None:
    """Return the first tick (day, hour, minute) at a time that the clocks skip or repeat, None if there is none."""
    cron = parse(expression)
    minutes, hours, days, months, weekdays = fields(cron)
    if every_hour(cron):
        return None
    for day, skipped in _changes(zone(timezone)):
        if day.month not in months:
            continue
        of_month, of_week = day.day in days, (day.weekday() + 1) % 7 in weekdays
        either = cron.either and len(days) < EVERY[2] and len(weekdays) < EVERY[4]
        if (of_month or of_week) if either else (of_month and of_week):
            for hour, minute in skipped:
                if hour in hours and minute in minutes:
                    return day, hour, minute
    return None


def every_hour(cron: Cron) -> bool:
    """Whether it goes by the time that passes, every hour of every day; ``0 0-23 * * *`` is fixed times to crontab."""
    _, hours, days, months, weekdays = fields(cron)
    return cron.interval and (len(hours), len(days), len(months), len(weekdays)) == EVERY[1:]


def changing(timezone: str) -> bool:
    """Whether the clocks of a zone change.

    Examples
    --------
    >>> changing("Europe/Oslo"), changing("Asia/Kolkata")
    (True, False)
    """
    return bool(_changes(zone(timezone)))


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
    if every_hour(parse(schedule.cron)) and changing(schedule.timezone):
        return in_utc(schedule, system), "UTC"
    steady(schedule, system)
    return spelled(schedule, system), zone(schedule.timezone).key


@lru_cache(maxsize=32)
def _changes(place: ZoneInfo) -> tuple[tuple[date, tuple[tuple[int, int], ...]], ...]:
    """Days on which the clocks change, each with the times on the wall that come twice or never."""
    found = []
    day = date(YEARS[0], 1, 1)
    while day.year in YEARS:
        noon = datetime.combine(day, time(12), place)
        if noon.utcoffset() != (noon - timedelta(days=1)).utcoffset():
            for near in (day - timedelta(days=1), day):
                odd = tuple(clock for clock in ALL_DAY if _odd(datetime.combine(near, time(*clock)), place))
                if odd:
                    found.append((near, odd))
        day += timedelta(days=1)
    return tuple(found)


ALL_DAY = tuple((hour, minute) for hour in range(24) for minute in range(60))


def _odd(wall: datetime, place: ZoneInfo) -> bool:
    return wall.replace(tzinfo=place, fold=0).utcoffset() != wall.replace(tzinfo=place, fold=1).utcoffset()


def in_utc(schedule: Schedule, system: str) -> str:
    """Return a schedule's cron as it is in UTC, for systems that know no time zones.

    Raises
    ------
    UserError
        The clocks of the zone change, or the shift carries days over the border of a month or of some hours only.

    Examples
    --------
    >>> in_utc(Schedule("30 6 * * mon", "Asia/Kolkata"), "GitHub")
    '0 1 * * 1'
    >>> in_utc(Schedule("*/30 * * * *", "Europe/Oslo"), "GitHub")
    '0,30 * * * *'
    """
    place = zone(schedule.timezone)
    offsets = {datetime(year, month, 1, tzinfo=UTC).astimezone(place).utcoffset() for year in YEARS for month in MONTHS}
    cron = parse(schedule.cron)
    found = fields(cron, system)
    if len(offsets) > 1 and every_hour(cron):
        return _hourly(
            found, {int((offset or timedelta()).total_seconds()) // 60 for offset in offsets}, schedule, system
        )
    if len(offsets) > 1:
        raise UserError(
            f"{system} knows UTC alone, and the clocks of {schedule.timezone} change: give the schedule in UTC"
        )
    shift = int((offsets.pop() or timedelta()).total_seconds()) // 60
    return _text(_shifted(found, shift, schedule, system))


MONTHS = range(1, 13)


def _hourly(found: Fields, shifts: set[int], schedule: Schedule, system: str) -> str:
    """The minutes of every hour, if they are the same in UTC whatever the clocks of the zone say."""
    moved = {tuple(sorted((minute - shift) % 60 for minute in found[0])) for shift in shifts}
    if len(moved) > 1:
        raise UserError(
            f"cron {schedule.cron!r} fires at other minutes of UTC when the clocks of {schedule.timezone} change, "
            f"which {system} cannot do: give the schedule in UTC"
        )
    return _text((moved.pop(), *found[1:]))


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
        steady(schedule, system)
        return spelled(schedule, system), schedule.timezone


def with_years(fields: str, system: str) -> str:
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
    minute, hour, day, month, weekday = fields.split()
    if weekday == "*":
        return f"{minute} {hour} {day} {month} ? *"
    if day != "*":
        raise UserError(f"{system} takes day-of-month or day-of-week, and this cron has both: restrict one of them")
    return f"{minute} {hour} ? {month} {','.join(WEEKDAYS[int(number)] for number in weekday.split(','))} *"


WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def _shifted(found: Fields, shift: int, schedule: Schedule, system: str) -> Fields:
    minutes, hours, days, months, weekdays = found
    moved = [(hour * 60 + minute - shift) for hour in hours for minute in minutes]
    clocks = {(at % 1440 // 60, at % 60) for at in moved}
    new_hours, new_minutes = (tuple(sorted({clock[i] for clock in clocks})) for i in (0, 1))
    carried = {at // 1440 for at in moved}
    every_day = len(days) == EVERY[2] and len(months) == EVERY[3]
    if len(clocks) < len(new_hours) * len(new_minutes) or (len(carried) > 1 and len(weekdays) < EVERY[4]):
        raise _unshifted(schedule, system)
    if carried != {0} and not every_day:
        raise _unshifted(schedule, system)
    if len(carried) == 1:
        weekdays = tuple(sorted((day + next(iter(carried))) % 7 for day in weekdays))
    return new_minutes, new_hours, days, months, weekdays


def _unshifted(schedule: Schedule, system: str) -> UserError:
    return UserError(
        f"{system} knows UTC alone, and cron {schedule.cron!r} of {schedule.timezone} is no one cron there: "
        f"give the schedule in UTC"
    )


def apart(schedule: Schedule, least: int, system: str) -> None:
    """Refuse a cron that fires more often than a system looks at its clock.

    Parameters
    ----------
    least : minutes between two ticks that it keeps.
    """
    cron = parse(schedule.cron)
    ticks = sorted({(hour * 60 + minute) for hour in cron.hours for minute in cron.minutes})
    gaps = [later - earlier for earlier, later in pairwise([*ticks, ticks[0] + 24 * 60])]
    if min(gaps) < least:
        raise UserError(
            f"cron {schedule.cron!r} fires {min(gaps)} minutes apart, and {system} starts runs no more often than "
            f"every {least}: space it out"
        )


def union(schedule: Schedule) -> list[str]:
    """Return one or two lines that together are the cron, for systems in which a day must match both of its fields.

    Examples
    --------
    >>> union(Schedule("0 6 1 * mon"))
    ['0 6 1 * *', '0 6 * * 1']
    """
    cron = parse(schedule.cron)
    minutes, hours, days, months, weekdays = fields(cron)
    if cron.either and len(days) < EVERY[2] and len(weekdays) < EVERY[4]:
        of_month: Fields = (minutes, hours, days, months, tuple(range(7)))
        of_week: Fields = (minutes, hours, tuple(range(1, 32)), months, weekdays)
        return [_text(of_month), _text(of_week)]
    return [_text((minutes, hours, days, months, weekdays))]
