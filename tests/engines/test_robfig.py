"""Kubernetes and Argo fire when the schedule says, as far as their library is read right (robfig.py)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.emit.kubernetes import timed
from tests.engines.robfig import Spec
from tests.services.export.test_spelling import CRONS

ZONES = (
    *("UTC", "Europe/Oslo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland"),
    *("Africa/Cairo", "America/Havana", "Asia/Beirut", "America/Santiago"),  # at midnight
)
STARTS = ("2026-03-05", "2026-03-26", "2026-04-03", "2026-09-03", "2026-10-23", "2027-12-20", "2028-02-27")

TICKS = [
    ("0 6 * * 1", "UTC", "2026-02-20"),
    ("0 9 * * 7", "Europe/Oslo", "2026-03-20"),
    ("0 9 * * sun", "America/New_York", "2026-03-01"),
    ("*/15 8-18 * * mon-fri", "America/New_York", "2026-03-06"),
    ("30 2 * * mon-fri", "Europe/Oslo", "2026-10-20"),
    ("30 * * * *", "Europe/Oslo", "2026-03-28T20:00"),  # the hour that never comes
    ("30 * * * *", "Europe/Oslo", "2026-10-24T20:00"),  # the hour that comes twice
    ("*/20 * * * *", "Australia/Lord_Howe", "2026-04-04T10:00"),
    ("0 12 * * *", "Africa/Cairo", "2026-04-20"),
    ("5-5 6 1 * 5", "Asia/Kolkata", "2026-01-01"),  # day of month or of week
    ("0 0 1-31 * 1", "Europe/Oslo", "2026-01-01"),
    ("0 12 28-31 feb *", "UTC", "2026-01-01"),
    ("10,40 7 1,15 jan-mar *", "Pacific/Auckland", "2026-01-01"),
    ("@weekly", "Europe/Oslo", "2026-03-01"),
    ("0 9 * * 1-5", "America/Santiago", "2026-09-01"),
]


def compare(schedule: ScheduleSpec, start: str) -> None:
    found = timed(schedule, "Kubernetes")
    assert found
    since = datetime.fromisoformat(start).replace(tzinfo=UTC)
    ours = [tick.astimezone(UTC) for tick in next_times(schedule.cron, schedule.timezone, since, 50)]
    assert Spec.parse(*found).ticks(since, 50) == ours


@pytest.mark.parametrize(("cron", "timezone", "start"), TICKS)
def test_the_next_50_ticks(cron: str, timezone: str, start: str) -> None:
    compare(ScheduleSpec(cron, timezone), start)


def test_a_29th_of_february() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    found = timed(ScheduleSpec("0 12 29 2 *"), "Argo")
    assert found
    assert [tick.year for tick in Spec.parse(*found).ticks(since, 3)] == [2028, 2032, 2036]


def test_the_reading_has_the_librarys_own_ways() -> None:
    """Skips what falls into the gap and repeats what comes twice, as its documentation says: why `steady` refuses."""
    spec = Spec.parse("30 2 * * *", "Europe/Oslo")
    spring = [tick.day for tick in spec.ticks(datetime(2026, 3, 27, 12, tzinfo=UTC), 3)]
    autumn = [(tick.day, tick.hour) for tick in spec.ticks(datetime(2026, 10, 24, 12, tzinfo=UTC), 3)]
    assert spring == [28, 30, 31]
    assert autumn == [(25, 0), (25, 1), (26, 1)]


def test_the_reading_loses_its_step_by_half_an_hour() -> None:
    """After a change by half an hour the walk over the hours comes to the next day at half past: why it is refused."""
    spec = Spec.parse("0 0 * * *", "Australia/Lord_Howe")
    walls = [spec.local(tick) for tick in spec.ticks(datetime(2026, 4, 4, 14, tzinfo=UTC), 2)]
    assert [(wall.day, wall.hour, wall.minute) for wall in walls] == [(7, 0, 0), (8, 0, 0)]


def test_the_reading_takes_a_day_without_midnight_for_the_day_before() -> None:
    """It looks at the day again at hour 0, which that day does not have: why it is refused."""
    spec = Spec.parse("0 9 * * 6", "America/Santiago")
    walls = [spec.local(tick) for tick in spec.ticks(datetime(2026, 9, 4, tzinfo=UTC), 3)]
    assert [(wall.day, wall.hour) for wall in walls] == [(5, 9), (6, 9), (12, 9)]


@given(CRONS, st.sampled_from(ZONES), st.sampled_from(STARTS))
@settings(max_examples=100, deadline=None)
def test_the_next_50_ticks_of_any_cron(cron: str, timezone: str, start: str) -> None:
    try:
        compare(ScheduleSpec(cron, timezone), start)
    except UserError as refused:
        assert "\n" not in str(refused)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (ScheduleSpec("30 2 * * *", "Europe/Oslo"), "cron '30 2 * * *' fires at 02:30 on 2026-03-29"),
        (
            ScheduleSpec("0 6 */2 * 1"),
            "a day must match both day-of-month and day-of-week in this cron, and Kubernetes",
        ),
        (ScheduleSpec("99 6 * * 1"), "cron '99 6 * * 1': minute '99'"),
        (ScheduleSpec("0 6 30 2 *"), "cron '0 6 30 2 *' never fires"),
        (ScheduleSpec("0 6 * * 1", "Europe/Olso"), "time zone 'Europe/Olso'"),
        (
            ScheduleSpec("0 6 * * 1", "Australia/Lord_Howe"),
            "the clocks of Australia/Lord_Howe change by less than an hour",
        ),
        (
            ScheduleSpec("0 9 * * 6", "America/Santiago"),
            "2026-09-06 has no midnight in America/Santiago, and Kubernetes would",
        ),
        (ScheduleSpec(every_seconds=90), "Kubernetes has no interval of 90 s"),
        (ScheduleSpec(every_seconds=7 * 60), "Kubernetes has no interval of 420 s"),
        (ScheduleSpec(every_seconds=90 * 60), "Kubernetes has no interval of 5400 s"),
    ],
)
def test_refused_in_one_line(schedule: ScheduleSpec, said: str) -> None:
    with pytest.raises(UserError) as fault:
        timed(schedule, "Kubernetes")
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("minutes", [1, 5, 15, 60, 120, 360, 720, 1440])
def test_intervals_are_as_long_as_they_say(minutes: int) -> None:
    found = timed(ScheduleSpec(every_seconds=minutes * 60), "Argo")
    assert found
    ticks = Spec.parse(*found).ticks(datetime(2026, 3, 28, tzinfo=UTC), 50)
    assert {(b - a).total_seconds() for a, b in pairwise(ticks)} == {minutes * 60}


def test_what_the_clock_does_not_start_has_no_cron() -> None:
    for schedule in (None, ScheduleSpec(data="a/*"), ScheduleSpec(after="b"), ScheduleSpec(drift="c")):
        assert timed(schedule, "Argo") is None
