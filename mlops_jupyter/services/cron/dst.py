"""A cron where the clocks of its zone change (DST): ticks that are skipped or repeated, and the cron in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import EVERY, Fields, each, every_hour, fields, text
from mlops_jupyter.services.cron.expression import Cron, parse
from mlops_jupyter.services.cron.ticks import zone

YEARS = range(2026, 2041)
"""Changes of the clocks are looked up for these."""

ALL_DAY = tuple((hour, minute) for hour in range(24) for minute in range(60))


def utc_offsets(timezone: str) -> set[int]:
    """Return by how many minutes the clocks of a zone are ahead of UTC: one number, or several if they change.

    Examples
    --------
    >>> sorted(utc_offsets("Europe/Oslo")), utc_offsets("Asia/Kolkata")
    ([60, 120], {330})
    """
    return {minutes for _, minutes in _offsets(timezone)}


@lru_cache(maxsize=32)
def _offsets(timezone: str) -> tuple[tuple[date, int], ...]:
    """For each day, by how many minutes its noon is ahead of UTC's."""
    place, first = zone(timezone), date(YEARS[0], 1, 1)
    days = (first + timedelta(days=number) for number in range((date(YEARS[-1] + 1, 1, 1) - first).days))
    return tuple((day, _minutes(datetime.combine(day, time(12), place))) for day in days)


def _minutes(at: datetime) -> int:
    return int((at.utcoffset() or timedelta()).total_seconds()) // 60


def check_steady(schedule: ScheduleSpec, system: str) -> None:
    """Raise `UserError` for a cron with ticks that a change of the clocks skips or repeats.

    Systems that are checked so do not do as crontab then. A cron whose minutes are those of every hour of every day
    (``*/15 * * * *``) goes by the time that passes, everywhere.

    Raises
    ------
    UserError
        Names the first such tick, and a way out.
    """
    tick = first_unsteady_tick(schedule.cron, schedule.timezone)
    if tick:
        day, hour, minute = tick
        raise UserError(
            f"cron {schedule.cron!r} fires at {hour:02}:{minute:02} on {day}, a time that the clocks of "
            f"{schedule.timezone} skip or repeat, and {system} would not do as crontab does: take another hour, or UTC"
        )


@lru_cache(maxsize=256)
def first_unsteady_tick(expression: str, timezone: str) -> tuple[date, int, int] | None:
    """Return the first tick (day, hour, minute) at a time that the clocks skip or repeat, None if there is none."""
    cron = parse(expression)
    if every_hour(cron):
        return None
    for day, odd in _changes(timezone):
        if _falls_on(cron, day):
            for hour, minute in odd:
                if hour in cron.hours and minute in cron.minutes:
                    return day, hour, minute
    return None


def _falls_on(cron: Cron, day: date) -> bool:
    weekday = (day.weekday() + 1) % 7
    return any(day.month in months and day.day in days and weekday in week for _, _, days, months, week in each(cron))


def carried_over(expression: str, timezone: str) -> date | None:
    """Return the first day without a midnight that is none of a cron's, while the day before is; None if there is none.

    Examples
    --------
    >>> carried_over("0 6 * * sat", "America/Santiago"), carried_over("0 6 * * sat", "Europe/Oslo")
    (datetime.date(2026, 9, 6), None)
    """
    cron = parse(expression)
    days = (day for day in _without_midnight(timezone) if _falls_on(cron, day - timedelta(days=1)))
    return next((day for day in days if not _falls_on(cron, day)), None)


@lru_cache(maxsize=32)
def _changes(timezone: str) -> tuple[tuple[date, tuple[tuple[int, int], ...]], ...]:
    """Days on which the clocks change, each with the times on the wall that come twice or never."""
    place, changes = zone(timezone), list[tuple[date, tuple[tuple[int, int], ...]]]()
    for (before, ahead), (day, now) in pairwise(_offsets(timezone)):
        if now != ahead:
            for near in (before, day):
                odd = tuple(clock for clock in ALL_DAY if _odd(datetime.combine(near, time(*clock), place)))
                changes += [(near, odd)] if odd else []
    return tuple(changes)


@lru_cache(maxsize=32)
def _without_midnight(timezone: str) -> tuple[date, ...]:
    """Days that the clocks begin later."""
    place = zone(timezone)
    midnights = ((day, datetime.combine(day, time(), place)) for day, _ in _changes(timezone))
    return tuple(dict.fromkeys(day for day, at in midnights if at.astimezone(UTC).astimezone(place).hour))


def _odd(wall: datetime) -> bool:
    return wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()


def in_utc(schedule: ScheduleSpec, system: str) -> str:
    """Return a schedule's cron in UTC, for systems that know no time zones.

    Raises
    ------
    UserError
        The clocks of the zone change, or the shift carries days over the border of a month or of some hours only.

    Examples
    --------
    >>> in_utc(ScheduleSpec("30 6 * * mon", "Asia/Kolkata"), "GitHub")
    '0 1 * * 1'
    >>> in_utc(ScheduleSpec("*/30 * * * *", "Europe/Oslo"), "GitHub")
    '0,30 * * * *'
    """
    cron, shifts = parse(schedule.cron), utc_offsets(schedule.timezone)
    numbers = fields(cron, system)
    if len(shifts) > 1 and every_hour(cron):
        return _hourly(numbers, shifts, schedule, system)
    if len(shifts) > 1:
        raise UserError(
            f"{system} knows UTC alone, and the clocks of {schedule.timezone} change: give the schedule in UTC"
        )
    return text(_shifted(numbers, shifts.pop(), schedule, system))


def _hourly(numbers: Fields, shifts: set[int], schedule: ScheduleSpec, system: str) -> str:
    """The minutes of every hour, if they are the same in UTC whatever the clocks of the zone say."""
    moved = {tuple(sorted((minute - shift) % 60 for minute in numbers[0])) for shift in shifts}
    if len(moved) > 1:
        raise UserError(
            f"cron {schedule.cron!r} fires at other minutes of UTC when the clocks of {schedule.timezone} change, "
            f"which {system} cannot do: give the schedule in UTC"
        )
    return text((moved.pop(), *numbers[1:]))


def _shifted(numbers: Fields, shift: int, schedule: ScheduleSpec, system: str) -> Fields:
    minutes, hours, days, months, weekdays = numbers
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


def _unshifted(schedule: ScheduleSpec, system: str) -> UserError:
    return UserError(
        f"{system} knows UTC alone, and cron {schedule.cron!r} of {schedule.timezone} is no one cron there: "
        f"give the schedule in UTC"
    )
