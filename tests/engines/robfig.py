"""When robfig/cron fires: the Go library of Kubeflow and Flyte, read here since it does not run in Python.

By its documented rules: each field is a set of numbers; where the day of month or of week is `*` both must match,
else one of them; it goes by the clock on the wall of one zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def next_times(fields: str, timezone: str, start: datetime, count: int) -> list[datetime]:
    """Return the next ticks of five fields of numbers, lists and ``*``, in UTC."""
    texts = fields.split()
    assert len(texts) == 5
    minutes, hours, days, months, weekdays = (
        None if text == "*" else {int(number) for number in text.split(",")} for text in texts
    )

    def day_matches(now: datetime) -> bool:
        of_month = days is None or now.day in days
        of_week = weekdays is None or (now.weekday() + 1) % 7 in weekdays
        return (of_month and of_week) if days is None or weekdays is None else (of_month or of_week)

    found: list[datetime] = []
    place = ZoneInfo(timezone)
    instant = start.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    while len(found) < count:
        now = instant.astimezone(place)
        if (months is not None and now.month not in months) or not day_matches(now):
            instant += timedelta(hours=1) - timedelta(
                minutes=now.minute
            )  # at most to the next hour, so no day is missed
        elif (hours is None or now.hour in hours) and (minutes is None or now.minute in minutes):
            found.append(instant)
            instant += timedelta(minutes=1)
        else:
            instant += timedelta(minutes=1)
    return found
