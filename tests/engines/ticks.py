"""Schedules whose next ticks every target must fire at the same instants, or refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.ticks import check, next_times

COUNT = 50
"""How many ticks of each are compared."""

TABLE = (
    ("0 6 * * 1", "UTC", "2026-02-20"),
    ("0 9 * * 7", "Europe/Oslo", "2026-03-20"),  # 50 weeks: over both changes of the clocks
    ("0 9 * * SUN", "America/New_York", "2026-03-01"),
    ("*/15 8-18 * * mon-fri", "America/New_York", "2026-03-06"),
    ("30 2 * * mon-fri", "Europe/Oslo", "2026-10-20"),  # the clocks change on Sundays
    ("30 * * * *", "Europe/Oslo", "2026-03-28T12:00"),  # the hour that never comes
    ("30 * * * *", "Europe/Oslo", "2026-10-24T12:00"),  # the hour that comes twice
    ("*/10 * * * *", "Australia/Lord_Howe", "2026-04-04T03:00"),  # by half an hour
    ("15 4 * * *", "Australia/Lord_Howe", "2026-03-20"),
    ("0 12 * * *", "America/Santiago", "2026-08-20"),  # at midnight
    ("5-5 6 1 * 5", "Asia/Kolkata", "2026-01-01"),  # day of month or of week
    ("0 0 1-31 * 1", "Australia/Lord_Howe", "2026-01-01"),
    ("@yearly", "UTC", "2026-01-02"),
    ("@hourly", "America/New_York", "2026-10-31"),
    ("0 12 29 2 *", "UTC", "2026-01-01"),
    ("0 12 29 feb *", "Europe/Oslo", "2026-01-01"),
    ("0 4 28-31 * *", "Europe/Oslo", "2026-01-01"),
    ("10,40 7 1,15 jan-mar *", "Pacific/Auckland", "2026-01-01"),
    ("*/7 */5 */3 */2 *", "UTC", "2026-01-01"),
)
"""Cron, time zone, from when on (UTC)."""

ZONES = (
    "UTC",
    "Europe/Oslo",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Cairo",
)
STARTS = (
    "2026-03-05",
    "2026-03-28",
    "2026-04-03",
    "2026-10-20",
    "2026-10-30",
    "2027-12-20",
    "2028-02-27",
    "2026-09-03",
)

Case = tuple[str, str, str]


def cases(spelled: Callable[[ScheduleSpec], object], count: int = 150) -> list[Case]:
    """Return the table, and as many crons again at random as are asked for, without those that a target refuses."""
    random, found = Random(4), list(TABLE)
    while len(found) < len(TABLE) + count:
        case = " ".join(_fields(random)), random.choice(ZONES), random.choice(STARTS)
        try:
            check(case[0])
            spelled(ScheduleSpec(case[0], case[1]))
        except UserError:
            continue
        found.append(case)
    return found


def _fields(random: Random) -> Iterator[str]:
    for low, high in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)):
        one, other = sorted((random.randint(low, high), random.randint(low, high)))
        forms = ("*", "*", f"*/{random.randint(1, 12)}", str(one), f"{one},{other}", f"{one}-{other}")
        yield random.choice(forms)


def ours(case: Case) -> list[str]:
    """Return the ticks of a case as the schedule's own clock has them: ISO, in UTC."""
    cron, zone, _ = case
    return [tick.astimezone(UTC).isoformat() for tick in next_times(cron, zone, start(case), COUNT)]


def start(case: Case) -> datetime:
    """Return the instant after which a case's ticks are asked for."""
    return datetime.fromisoformat(case[2]).replace(tzinfo=UTC)


TICKS = [
    ("0 6 * * 1", "UTC", "2026-02-20T00:00:00+00:00"),
    ("0 9 * * 7", "Europe/Oslo", "2026-03-20T00:00:00+00:00"),  # over both changes of the clocks
    ("*/15 8-18 * * mon-fri", "America/New_York", "2026-03-06T00:00:00+00:00"),
    ("30 * * * *", "Europe/Oslo", "2026-10-24T00:00:00+00:00"),  # the hour that comes twice
    ("5-5 6 1 * 5", "Asia/Kolkata", "2026-01-01T00:00:00+00:00"),  # day of month or of week
    ("0 12 29 2 *", "UTC", "2026-01-01T00:00:00+00:00"),
    ("@weekly", "Europe/Oslo", "2026-01-02T00:00:00+00:00"),
]
"""A few, for libraries that are slow or read by us."""


def count(cron: str) -> int:
    """Return how many firing times are compared: 50, but for what fires once in four years."""
    return 2 if " 29 2 " in cron else 50


def without_years(text: str) -> str:
    """Return the six fields that Quartz and EventBridge have as the five of a crontab, in numbers."""
    *fields, years = text.split()
    assert years == "*"
    assert fields.count("?") == 1
    numbers = " ".join(fields).replace("?", "*")
    for number, day in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")):
        numbers = numbers.replace(day, str(number))
    return numbers
