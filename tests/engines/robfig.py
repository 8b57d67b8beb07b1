"""When robfig/cron v3 fires, which Kubernetes and Argo use: its `SpecSchedule.Next`, read line by line.

The library is Go and does not run here. Its fields are sets of numbers, a star of a day field remembered; local times
come about as in Go: `time.Date` looks up the offset, `Add` goes by time that passes, `AddDate` by the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(7))


@dataclass(frozen=True)
class Spec:
    """An expression of numbers, lists and stars."""

    fields: tuple[frozenset[int], ...]
    day_star: bool
    place: ZoneInfo

    @classmethod
    def parse(cls, text: str, timezone: str) -> Spec:
        """Read five fields; what is more than numbers, lists and stars is a fault here."""
        parts = text.split()
        assert len(parts) == 5, text
        numbers = tuple(
            frozenset(every if part == "*" else map(int, part.split(",")))
            for part, every in zip(parts, RANGES, strict=True)
        )
        assert all(found <= set(every) for found, every in zip(numbers, RANGES, strict=True)), text
        return cls(numbers, "*" in (parts[2], parts[4]), ZoneInfo(timezone))

    def ticks(self, start: datetime, count: int) -> list[datetime]:
        """Return the next ticks in UTC."""
        found: list[datetime] = []
        while len(found) < count and (tick := self.next(found[-1] if found else start)):
            found.append(tick)
        return found

    def next(self, after: datetime) -> datetime | None:
        """Return the first tick after an instant; None after five years without."""
        minutes, hours, _, months, _ = self.fields
        now = after.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        limit = self.local(now).year + 5
        rounded = False
        while self.local(now).year <= limit:
            wrapped = False
            while not wrapped and self.local(now).month not in months:
                wall = self.local(now)
                wall = wall if rounded else wall.replace(day=1, hour=0, minute=0, second=0)
                rounded = True
                year, month = divmod(wall.year * 12 + wall.month, 12)
                now = self.instant(wall.replace(year=year, month=month + 1))
                wrapped = self.local(now).month == 1
            while not wrapped and not self.matches(self.local(now)):
                wall = self.local(now)
                wall = wall if rounded else wall.replace(hour=0, minute=0, second=0)
                rounded = True
                now = self.instant(wall + timedelta(days=1))
                hour = self.local(now).hour  # a midnight that does not exist
                if hour:
                    now += timedelta(hours=24 - hour if hour > 12 else -hour)
                wrapped = self.local(now).day == 1
            while not wrapped and self.local(now).hour not in hours:
                if not rounded:
                    now = self.instant(self.local(now).replace(minute=0, second=0))
                rounded = True
                now += timedelta(hours=1)
                wrapped = self.local(now).hour == 0
            while not wrapped and self.local(now).minute not in minutes:
                now = now if rounded else now.replace(second=0)
                rounded = True
                now += timedelta(minutes=1)
                wrapped = self.local(now).minute == 0
            while not wrapped and now.second:
                rounded = True
                now += timedelta(seconds=1)
                wrapped = now.second == 0
            if not wrapped:
                return now
        return None

    def local(self, instant: datetime) -> datetime:
        """The clock on the wall, without its zone."""
        return instant.astimezone(self.place).replace(tzinfo=None, fold=0)

    def instant(self, wall: datetime) -> datetime:
        """Go's `time.Date`: the offset there would be if the wall were UTC, else the one found with that."""
        as_utc = wall.replace(tzinfo=UTC)
        offset = as_utc.astimezone(self.place).utcoffset() or timedelta()
        if offset:
            offset = (as_utc - offset).astimezone(self.place).utcoffset() or timedelta()
        return as_utc - offset

    def matches(self, wall: datetime) -> bool:
        """Whether a day does: both where one of them is a star, else either."""
        of_month, of_week = wall.day in self.fields[2], (wall.weekday() + 1) % 7 in self.fields[4]
        return (of_month and of_week) if self.day_star else (of_month or of_week)


def next_times(text: str, timezone: str, start: datetime, count: int) -> list[datetime]:
    """Return the next ticks of an expression by the clock of a zone, in UTC."""
    return Spec.parse(text, timezone).ticks(start, count)
