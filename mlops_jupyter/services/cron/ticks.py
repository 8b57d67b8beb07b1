"""When a cron expression fires, as crontab(5) and cron(8) mean it. Light: imports croniter only when it is asked.

croniter walks the days; the minutes of a day are laid out here, because it repeats fixed times in autumn, which cron
does not. What cron does when the clocks change (cron(8) of Vixie and Debian), and so do we:

* a job at fixed times (neither the minute nor the hour begins with ``*``) fires once a day for each of its times: one
  that does not exist in spring fires once, at the first instant after the gap; one that comes twice in autumn fires at
  its first coming;
* a job of intervals (``*/15 * * * *``, ``30 * * * *``) goes by the time that passes: nothing fires in the gap, and in
  autumn the repeated hour has its ticks twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.cron.expression import Cron, parse


def check(expression: str) -> None:
    """Raise `UserError` with one line that names the field, if cron could not take this or it would never fire.

    Examples
    --------
    >>> check("*/15 8-18 * * mon-fri")
    >>> check("0 25 * * *")
    Traceback (most recent call last):
    ...
    mlops_jupyter.core.errors.UserError: cron '0 25 * * *': hour '25' is out of range (takes 0-23)
    """
    cron = parse(expression)
    if next(_days(cron, date(2000, 1, 1)), None) is None:
        raise UserError(
            f"cron {expression!r} never fires: its day-of-month is in none of its months; change one of them"
        )


def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; raise `UserError` that offers the nearest names."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a plain name; a folder of the database
        pass
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    near = get_close_matches(name, sorted(available_timezones()), n=3)
    advice = f"perhaps {' or '.join(map(repr, near))}" if near else "use an IANA name such as 'UTC' or 'Europe/Berlin'"
    raise UserError(f"time zone {name!r} is not known: {advice}")


def next_times(expression: str, timezone: str, start: datetime, count: int) -> list[datetime]:
    """Return the `count` next ticks strictly after `start` (aware), in the time zone; fewer if there are no more.

    Examples
    --------
    >>> from datetime import UTC, datetime, timezone
    >>> [t.isoformat() for t in next_times("0 9 * * 1", "Europe/Berlin", datetime(2026, 3, 20, tzinfo=timezone.utc), 2)]
    ['2026-03-23T09:00:00+01:00', '2026-03-30T09:00:00+02:00']
    """
    place = zone(timezone)
    return [instant.astimezone(place) for instant in islice(_after(parse(expression), place, start), count)]


def next_after(expression: str, timezone: str, start: datetime) -> datetime | None:
    """Return the first tick strictly after `start`, or None if it never fires again (within 50 years)."""
    return next(iter(next_times(expression, timezone, start, 1)), None)


def latest(expression: str, timezone: str, now: datetime) -> datetime | None:
    """Return the last tick at or before `now` (aware), or None if there was none (within 50 years)."""
    cron, place = parse(expression), zone(timezone)
    for day in _days(cron, now.astimezone(place).date(), back=True):
        instants = _instants(cron, day, place)
        if place_in := bisect_right(instants, now):
            return instants[place_in - 1].astimezone(place)
    return None


def _after(cron: Cron, place: ZoneInfo, start: datetime) -> Iterator[datetime]:
    last = start.astimezone(UTC)
    # The day before as well: a gap at the end of a day moves that day's ticks into the next.
    for day in _days(cron, last.astimezone(place).date() - timedelta(days=1)):
        for instant in _instants(cron, day, place):
            if instant > last:
                yield instant
                last = instant


def _days(cron: Cron, start: date, back: bool = False) -> Iterator[date]:
    """Yield the matching days from `start` on (or backwards), `start` included."""
    from croniter import CroniterBadDateError, croniter

    days, weekdays = _list(cron.days, 31), _list(cron.weekdays, 7)
    if cron.either and "*" in (
        days,
        weekdays,
    ):  # `1-31` OR Monday is every day; to croniter `*` means: look at the other
        days = weekdays = "*"
    midnight = datetime.combine(start, time())
    walk = croniter(
        f"0 0 {days} {_list(cron.months, 12)} {weekdays}",
        midnight + timedelta(minutes=1 if back else -1),
        day_or=cron.either,
    )
    try:
        while True:
            yield (walk.get_prev(datetime) if back else walk.get_next(datetime)).date()
    except (CroniterBadDateError, OverflowError):  # no more within 50 years; the end of the calendar
        return


def _list(numbers: tuple[int, ...], all_of_them: int) -> str:
    return "*" if len(numbers) == all_of_them else ",".join(map(str, numbers))


@lru_cache(maxsize=256)
def _instants(cron: Cron, day: date, place: ZoneInfo) -> tuple[datetime, ...]:
    """All ticks of one local day, in UTC, ascending, each once."""
    found: set[datetime] = set()
    for hour in cron.hours:
        for minute in cron.minutes:
            found.update(_comings(datetime.combine(day, time(hour, minute)), place, cron.interval))
    return tuple(sorted(found))


def _comings(wall: datetime, place: ZoneInfo, interval: bool) -> tuple[datetime, ...]:
    """The instants, in UTC, at which a job set for that time on the wall fires: one, none or two."""
    before, after = (wall.replace(tzinfo=place, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    early, late = ((wall - offset).replace(tzinfo=UTC) for offset in (before, after))
    if before == after:
        return (early,)
    if before > after:  # the clocks went back: this time comes twice
        return (early, late) if interval else (early,)
    return () if interval else (_change(place, late, early),)


def _change(place: ZoneInfo, old: datetime, new: datetime) -> datetime:
    """The first second after the clocks changed, between an instant before the change and one after it (UTC)."""
    offset = old.astimezone(place).utcoffset()
    while new - old > timedelta(seconds=1):
        middle = old + (new - old) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(place).utcoffset() == offset:
            old = middle
        else:
            new = middle
    return new
