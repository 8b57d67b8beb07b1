"""When a cron expression fires: tables for the traps, and a brute-force reading of crontab(5) for the rest."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.cron import ticks as cron_ticks
from mlops_jupyter.services.cron.expression import MACROS, parse


@dataclass(frozen=True)
class Case:
    """The first ticks after a start, as wall times in the zone with their offsets; the year is 2026 unless given."""

    name: str
    cron: str
    start: str
    ticks: str
    zone: str = "UTC"

    def next(self, count: int) -> list[datetime]:
        return cron_ticks.next_times(self.cron, self.zone, datetime.fromisoformat(_whole(self.start)), count)


def _whole(time: str) -> str:
    return (time if time[4] == "-" else f"2026-{time}").replace("Z", "+00:00")


# 2026-01-01 is a Thursday, 2026-11-22 a Sunday.
FIRES = (
    Case("1 is Monday", "0 9 * * 1", "01-01T00:00Z", "01-05T09:00Z 01-12T09:00Z"),
    Case("0 is Sunday", "0 9 * * 0", "01-01T00:00Z", "01-04T09:00Z"),
    Case("7 is Sunday", "0 9 * * 7", "01-01T00:00Z", "01-04T09:00Z 01-11T09:00Z"),
    Case("sun is Sunday", "0 9 * * sun", "01-01T00:00Z", "01-04T09:00Z"),
    Case("MON in capitals", "0 9 * * MON", "01-01T00:00Z", "01-05T09:00Z"),
    Case("a week that ends in 7", "0 9 * * 6-7", "01-01T00:00Z", "01-03T09:00Z 01-04T09:00Z 01-10T09:00Z"),
    Case("a week that ends in sun", "0 9 * * sat-sun", "01-01T00:00Z", "01-03T09:00Z 01-04T09:00Z 01-10T09:00Z"),
    Case("mon-fri skips the weekend", "0 9 * * mon-fri", "01-02T09:00Z", "01-05T09:00Z"),
    Case("day of month OR of week", "0 0 13 * 5",
         "01-01T00:00Z", "01-02T00:00Z 01-09T00:00Z 01-13T00:00Z 01-16T00:00Z"),
    Case("1-31 is restricted: OR gives every day", "0 0 1-31 * 1", "01-01T00:00Z", "01-02T00:00Z 01-03T00:00Z"),
    Case("*/2 is a star: AND", "0 0 */2 * 1", "01-01T00:00Z", "01-05T00:00Z 01-19T00:00Z"),
    Case("a day that one of its months lacks", "0 0 31 2 1", "01-01T00:00Z", "02-02T00:00Z"),
    Case("a leap day", "0 0 29 2 *", "01-01T00:00Z", "2028-02-29T00:00Z 2032-02-29T00:00Z"),
    Case("month names and lists", "0 0 1 jan,JUL *", "01-01T00:00Z", "07-01T00:00Z 2027-01-01T00:00Z"),
    Case("a range with a step", "10-50/20 3 * * *",
         "01-01T00:00Z", "01-01T03:10Z 01-01T03:30Z 01-01T03:50Z 01-02T03:10Z"),
    Case("a range of one", "5-5 3 * * *", "01-01T00:00Z", "01-01T03:05Z 01-02T03:05Z"),
    Case("strictly after the start", "0 9 * * *", "01-01T09:00Z", "01-02T09:00Z"),
    Case("seconds before a tick", "0 9 * * *", "01-01T08:59:59.9Z", "01-01T09:00Z"),
    Case("@daily", "@daily", "01-01T00:00Z", "01-02T00:00Z"),
    Case("@weekly is Sunday", "@weekly", "01-01T00:00Z", "01-04T00:00Z"),
    Case("@HOURLY", " @HOURLY ", "01-01T00:30Z", "01-01T01:00Z"),
    Case("@yearly", "@yearly", "01-01T00:00Z", "2027-01-01T00:00Z"),
    Case("the zone's wall, not UTC's", "0 9 * * 1", "01-01T00:00Z", "01-05T09:00+13:00", "Pacific/Auckland"),
    Case("half an hour off", "0 0 * * *", "01-01T00:00Z", "01-02T00:00+05:45", "Asia/Kathmandu"),
    # Spring: Berlin 2026-03-29, 02:00+01:00 becomes 03:00+02:00.
    Case("spring: a time that is skipped fires right after the gap", "30 2 * * *",
         "03-28T12:00Z", "03-29T03:00+02:00 03-30T02:30+02:00", "Europe/Berlin"),
    Case("spring: several skipped times fire once", "10,50 2 * * *",
         "03-28T12:00Z", "03-29T03:00+02:00 03-30T02:10+02:00", "Europe/Berlin"),
    Case("spring: a skipped time and one at its end fire once", "0 2,3 * * *",
         "03-28T12:00Z", "03-29T03:00+02:00 03-30T02:00+02:00", "Europe/Berlin"),
    Case("spring: other times are untouched", "30 4 * * *", "03-28T12:00Z", "03-29T04:30+02:00", "Europe/Berlin"),
    Case("spring: intervals go by the time that passes", "*/30 * * * *",
         "03-29T00:15Z", "03-29T01:30+01:00 03-29T03:00+02:00 03-29T03:30+02:00", "Europe/Berlin"),
    Case("spring: New York", "30 2 * * *", "03-07T12:00Z", "03-08T03:00-04:00 03-09T02:30-04:00", "America/New_York"),
    Case("spring: a gap of half an hour", "15 2 * * *",
         "10-03T00:00Z", "10-04T02:30+11:00 10-05T02:15+11:00", "Australia/Lord_Howe"),
    Case("spring: intervals after a gap of half an hour", "*/20 2 * * *",
         "10-03T00:00Z", "10-04T02:40+11:00 10-05T02:00+11:00", "Australia/Lord_Howe"),
    Case("spring: a gap at midnight", "0 0 * * *",
         "04-23T12:00Z", "04-24T01:00+03:00 04-25T00:00+03:00", "Africa/Cairo"),
    # Autumn: Berlin 2026-10-25, 03:00+02:00 becomes 02:00+01:00.
    Case("autumn: a time that comes twice fires at its first coming", "30 2 * * *",
         "10-24T12:00Z", "10-25T02:30+02:00 10-26T02:30+01:00", "Europe/Berlin"),
    Case("autumn: a start between the comings does not bring the second", "30 2 * * *",
         "10-25T00:45Z", "10-26T02:30+01:00", "Europe/Berlin"),
    Case("autumn: intervals tick through both hours", "*/30 * * * *", "10-24T23:50Z",
         "10-25T02:00+02:00 10-25T02:30+02:00 10-25T02:00+01:00 10-25T02:30+01:00 10-25T03:00+01:00", "Europe/Berlin"),
    Case("autumn: hourly ticks every hour that passes", "30 * * * *",
         "10-24T23:45Z", "10-25T02:30+02:00 10-25T02:30+01:00 10-25T03:30+01:00", "Europe/Berlin"),
    Case("autumn: intervals over half an hour that comes twice", "30 * * * *", "04-04T14:00Z",
         "04-05T01:30+11:00 04-05T01:30+10:30 04-05T02:30+10:30", "Australia/Lord_Howe"),
    Case("autumn: New York", "30 1 * * *", "10-31T12:00Z", "11-01T01:30-04:00 11-02T01:30-05:00", "America/New_York"),
    Case("autumn: midnight comes twice", "30 23 * * *",
         "10-29T12:00Z", "10-29T23:30+03:00 10-30T23:30+02:00", "Africa/Cairo"),
)  # fmt: skip


@pytest.mark.parametrize("case", FIRES, ids=lambda case: case.name)
def test_fires(case: Case) -> None:
    expected = [_whole(tick) for tick in case.ticks.split()]
    assert [tick.isoformat(timespec="minutes") for tick in case.next(len(expected))] == expected
    cron_ticks.check(case.cron)


@pytest.mark.parametrize("case", FIRES, ids=lambda case: case.name)
def test_latest_is_the_way_back(case: Case) -> None:
    ticks = [tick.astimezone(UTC) for tick in case.next(4)]  # two times of one zone are compared by their wall time
    for tick, following in pairwise(ticks):
        assert cron_ticks.latest(case.cron, case.zone, tick).astimezone(UTC) == tick
        assert cron_ticks.latest(case.cron, case.zone, following - timedelta(seconds=1)).astimezone(UTC) == tick


WRONG = {
    "60 * * * *": "minute '60' is out of range",
    "* 24 * * *": "hour '24' is out of range",
    "0 0 0 * *": "day-of-month '0' is out of range",
    "0 0 32 * *": "day-of-month '32' is out of range",
    "0 0 * 13 *": "month '13' is out of range",
    "0 0 * * 8": "day-of-week '8' is out of range (takes 0-7 or sun-sat)",
    "0 0 * foo *": "month 'foo' is not a number or name",
    "0 0 * * mon-xyz": "day-of-week 'xyz' is not a number or name",
    "mon 0 * * *": "minute 'mon' is not a number or name",
    "*/0 * * * *": "minute '*/0' has a step of 0",
    "0/15 * * * *": "has a step without a range: write '0-59/15'",
    "30-10 * * * *": "minute '30-10' runs backwards",
    "0 0 * * fri-mon": "day-of-week 'fri-mon' runs backwards",
    "0 0 L * *": "day-of-month 'l' is not a number",
    "0 0 * * 1#2": "day-of-week '1#2' is not a number",
    "0 0 15W * *": "day-of-month '15w' is not a number",
    "H * * * *": "minute 'h' is not a number",
    "1,,2 * * * *": "minute '' is not a number",
    "-1 * * * *": "minute '-1' is not a number",
    "1.5 * * * *": "minute '1.5' is not a number",
    "0 0 ٣ * *": "day-of-month '٣' is not a number",
    "0 6 * *": "has 4 field(s), not 5",
    "0 0 6 * * 1": "has 6 field(s), not 5",
    "": "has 0 field(s), not 5",
    "every monday": "has 2 field(s), not 5",
    "@reboot": "has 1 field(s), not 5",
    "0 0 31 2 *": "never fires",
    "0 0 31 4,6,9,11 *": "never fires",
}


@pytest.mark.parametrize("expression", WRONG)
def test_wrong_expressions_name_the_field(expression: str) -> None:
    with pytest.raises(UserError) as told:
        cron_ticks.check(expression)
    text = str(told.value)
    assert WRONG[expression] in text
    assert repr(expression) in text
    assert "\n" not in text


@pytest.mark.parametrize("macro", MACROS)
def test_macros_mean_their_expression(macro: str) -> None:
    assert parse(macro) == parse(MACROS[macro])


@pytest.mark.parametrize(
    "name, advice",
    [
        ("Berlin", "perhaps 'Europe/Berlin'"),
        ("Europe/Berln", "'Europe/Berlin'"),
        ("../../etc/passwd", "use an IANA name"),
        ("America", "'America/"),
        ("", "use an IANA name"),
        ("\0", "use an IANA name"),
    ],
)
def test_wrong_zones_get_advice(name: str, advice: str) -> None:
    with pytest.raises(UserError, match="is not known") as told:
        cron_ticks.zone(name)
    assert advice in str(told.value)


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ordered = st.tuples(number, number).map(sorted)
    item = st.one_of(
        number.map(str),
        ordered.map(lambda r: f"{r[0]}-{r[1]}"),
        st.tuples(ordered, st.integers(1, high)).map(lambda r: f"{r[0][0]}-{r[0][1]}/{r[1]}"),
        st.integers(1, high).map("*/{}".format),
    )
    return st.one_of(st.just("*"), item, st.lists(item, min_size=2, max_size=3).map(",".join))


EXPRESSIONS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 7)).map(" ".join)
STARTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tokyo"]
)


def _matches(text: str, value: int, low: int, high: int) -> bool:
    """One field, read as crontab(5) says it, without a set of numbers in between."""
    for item in text.split(","):
        body, _, step = item.partition("/")
        first, _, last = ("*", "", "") if body == "*" else body.partition("-")
        start, end = (low, high) if first == "*" else (int(first), int(last or first))
        if start <= value <= end and (value - start) % int(step or 1) == 0:
            return True
    return False


def _fires(expression: str, wall: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    of_week = any(
        _matches(weekday, number, 0, 7) for number in ([0, 7] if wall.isoweekday() == 7 else [wall.isoweekday()])
    )
    of_month = _matches(day, wall.day, 1, 31)
    either = not day.startswith("*") and not weekday.startswith("*")
    return (
        _matches(minute, wall.minute, 0, 59)
        and _matches(hour, wall.hour, 0, 23)
        and _matches(month, wall.month, 1, 12)
        and ((of_month or of_week) if either else (of_month and of_week))
    )


@settings(max_examples=40, deadline=None)
@given(EXPRESSIONS, STARTS)
def test_every_minute_of_three_days_agrees_with_crontab(expression: str, start: datetime) -> None:
    end = start + timedelta(days=3)
    minutes = (start.replace(second=0, microsecond=0) + timedelta(minutes=n) for n in range(1, 3 * 24 * 60 + 1))
    expected = [minute for minute in minutes if minute <= end and _fires(expression, minute)][:40]
    ticks = [tick for tick in cron_ticks.next_times(expression, "UTC", start, max(1, len(expected))) if tick <= end]
    assert ticks == expected


@settings(max_examples=70, deadline=None)
@given(EXPRESSIONS, STARTS, ZONES)
def test_ticks_ascend_and_match_the_wall(expression: str, start: datetime, zone: str) -> None:
    ticks = cron_ticks.next_times(expression, zone, start, 30)
    instants = [tick.astimezone(UTC) for tick in ticks]
    assert instants == sorted(set(instants))
    assert all(instant > start for instant in instants)
    for tick, instant in zip(ticks, instants, strict=True):
        assert cron_ticks.latest(expression, zone, instant).astimezone(UTC) == instant
        before = (instant - timedelta(minutes=1)).astimezone(ZoneInfo(zone))
        assert _fires(expression, tick) or before.utcoffset() != tick.utcoffset()  # else it stands for a skipped one


CHANGES = st.sampled_from(
    [
        ("Europe/Berlin", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "2026-10-25T01:00Z"),
        ("America/New_York", "2026-11-01T06:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
        ("America/Santiago", "2026-04-05T03:00Z"),
        ("America/Santiago", "2026-09-06T04:00Z"),
        ("Africa/Cairo", "2026-04-23T22:00Z"),
        ("Africa/Cairo", "2026-10-29T21:00Z"),
    ]
)
NEAR = st.one_of(st.just("*"), st.sampled_from(["0", "1", "2", "0-3", "1,2", "23", "*/2", "0,23"]))
SOON = st.tuples(_field(0, 59), NEAR, st.just("*"), st.just("*"), st.sampled_from(["*", "0", "5,6"])).map(" ".join)


def _minutes_of_cron(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    """The ticks after `start` up to `end`, minute by minute, as cron(8) of Debian says them."""
    place, ticks = ZoneInfo(zone), []
    interval = any(part.startswith("*") for part in expression.split()[:2])
    minute = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute <= end:
        wall, before = minute.astimezone(place), (minute - timedelta(minutes=1)).astimezone(place)
        walls = [wall.replace(tzinfo=None)]
        if not interval:
            skipped = int((wall.utcoffset() - before.utcoffset()).total_seconds()) // 60
            walls = [] if wall.fold else [walls[0] - timedelta(minutes=back) for back in range(max(skipped, 0) + 1)]
        if any(_fires(expression, wall) for wall in walls):
            ticks.append(minute)
        minute += timedelta(minutes=1)
    return ticks


@settings(max_examples=40, deadline=None)
@given(SOON, CHANGES, st.integers(-150, 150))
def test_every_minute_around_a_change_of_the_clocks_agrees_with_cron(
    expression: str, change: tuple[str, str], away: int
) -> None:
    zone, moment = change[0], datetime.fromisoformat(change[1].replace("Z", "+00:00"))
    first, start, end = (moment + each for each in (timedelta(hours=-26), timedelta(minutes=away), timedelta(hours=26)))
    all_ticks = _minutes_of_cron(expression, zone, first, end)
    expected = [tick for tick in all_ticks if tick > start]
    ticks = [tick.astimezone(UTC) for tick in cron_ticks.next_times(expression, zone, start, len(expected) + 1)]
    assert [tick for tick in ticks if tick <= end] == expected
    for hours in (-0.75, -0.25, 0, 0.25, 0.75, 12):
        now = moment + timedelta(hours=hours)
        for last in [tick for tick in all_ticks if tick <= now][-1:]:
            assert cron_ticks.latest(expression, zone, now).astimezone(UTC) == last


def test_checking_an_expression_is_light() -> None:
    heavy = "croniter apscheduler sqlalchemy yaml psutil pandas IPython"
    program = (
        "import sys; from mlops_jupyter.services.cron.ticks import check; "
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
