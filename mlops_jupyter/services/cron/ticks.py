"""When a cron expression fires, as crontab(5) and cron(8) mean it. The ticks are cronsim's.

What cron does when the clocks change (cron(8) of Vixie and Debian), and so do we:

* a job at fixed times (neither the minute nor the hour begins with ``*``) fires once a day for each of its times: one
  that does not exist in spring fires once, at the first instant after the gap; one that comes twice in autumn fires at
  its first coming;
* a job of intervals (``*/15 * * * *``, ``30 * * * *``) goes by the time that passes: nothing fires in the gap, and in
  autumn the repeated hour has its ticks twice.

The decisions behind it: ARCHITECTURE.md, "Schedule".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

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
    mlops_jupyter.runtime.errors.UserError: cron '0 25 * * *': hour '25' is out of range (takes 0-23)
    """
    if next(_walk(parse(expression), datetime(2000, 1, 1, tzinfo=UTC), back=False), None) is None:
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
    place = zone(timezone)
    moment = now.astimezone(place).replace(microsecond=0)
    # In an hour that comes twice, the fixed times of all of that hour have fired at their first coming.
    repeated = _utc_offset(moment.replace(fold=0)) - _utc_offset(moment) if moment.fold else timedelta()
    start = moment.astimezone(UTC) + repeated + timedelta(seconds=1)
    ticks = _ticks(parse(expression), place, start, back=True)
    return next((tick.astimezone(place) for tick in ticks if tick <= now), None)


def _after(cron: Cron, place: ZoneInfo, start: datetime) -> Iterator[datetime]:
    """Yield the ticks strictly after `start`, ascending."""
    last = start
    for tick in _ticks(cron, place, start):
        if tick > last:  # a walk by fixed times may come back from the second coming of an hour to the first
            yield tick
            last = tick


def _ticks(cron: Cron, place: ZoneInfo, start: datetime, back: bool = False) -> Iterator[datetime]:
    """Yield the ticks from `start` on (or backwards), in UTC.

    An interval's ticks are those by each UTC offset of the zone, at the times at which it has that offset. cronsim does
    not walk intervals over a change of the clocks: where that is half an hour (Lord Howe), it would leave out ticks.
    """
    if not cron.interval:
        yield from (tick.astimezone(UTC) for tick in _walk(cron, start.astimezone(place), back))
        return
    walks = (_walk(cron, start.astimezone(dt.timezone(offset)), back) for offset in _utc_offsets(place, start.year))
    for tick in merge(*walks, reverse=back):
        if tick.utcoffset() == tick.astimezone(place).utcoffset():
            yield tick.astimezone(UTC)


def _walk(cron: Cron, start: datetime, back: bool) -> Iterator[datetime]:
    """Yield cronsim's ticks after `start` (or before it) by the clock of its zone, over 50 years at most."""
    try:
        yield from CronSim(cron.text, start, reverse=back)
    except (CronSimError, OverflowError, ValueError):  # it never fires; the calendar ends
        return


@lru_cache(maxsize=256)
def _utc_offsets(place: ZoneInfo, year: int) -> frozenset[timedelta]:
    """Return the offsets that a zone has within 50 years of one, looked at each week."""
    first = datetime(max(year - 50, 1), 1, 1, tzinfo=place)
    return frozenset(_utc_offset(first + timedelta(weeks=week)) for week in range(52 * 101))


def _utc_offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
