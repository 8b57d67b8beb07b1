"""Cron in words that all systems share: the same ticks, or a refusal."""

from __future__ import annotations

import doctest
import json
import re
from datetime import UTC, datetime
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml import safe_load

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, ScheduleSpec
from mlops_jupyter.services.cron import cron_fields, dst, portable
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.emit import (
    ascii_names,
    backoff,
    dns_labels,
    kubernetes,
    parameters,
    python,
    templates,
    yaml,
)
from mlops_jupyter.services.export.targets.systemd import calendar

ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland")
STARTS = st.sampled_from(
    ("2026-03-01", "2026-03-29", "2026-10-01", "2026-10-24", "2027-12-20", "2028-02-27", "2026-09-20")
)


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    one = st.integers(low, high).map(str)
    runs = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda p: f"{min(p)}-{max(p)}")
    step = st.integers(1, 12).map(lambda n: f"*/{n}")
    return st.one_of(
        st.just("*"), st.just("*"), step, st.lists(st.one_of(one, runs), min_size=1, max_size=3).map(",".join)
    )


CRONS = st.tuples(
    numbers(0, 59),
    st.one_of(numbers(0, 23), st.just("0-23")),
    numbers(1, 28),
    numbers(1, 12),
    st.one_of(numbers(0, 7), st.sampled_from(("mon-fri", "sun", "tue,thu"))),
).map(" ".join)
"""Any expression, its fields in every form."""


def ticks(text: str, timezone: str, start: str) -> list[datetime]:
    found = next_times(text, timezone, datetime.fromisoformat(start).replace(tzinfo=UTC), 50)
    return [tick.astimezone(UTC) for tick in found]


@given(CRONS, st.sampled_from(ZONES), STARTS)
@settings(max_examples=150, deadline=None)
def test_numbers_alone_fire_at_the_same_instants(text: str, timezone: str, start: str) -> None:
    schedule = ScheduleSpec(text, timezone)
    try:
        spelled = cron_fields.spelled(schedule, "Argo")
        dst.check_steady(schedule, "Argo")
    except UserError:
        return
    assert ticks(spelled, timezone, start) == ticks(text, timezone, start)


@given(CRONS, st.sampled_from(ZONES), STARTS)
@settings(max_examples=150, deadline=None)
def test_in_utc_they_fire_at_the_same_instants(text: str, timezone: str, start: str) -> None:
    try:
        spelled = dst.in_utc(ScheduleSpec(text, timezone), "GitHub")
    except UserError:
        return
    assert ticks(spelled, "UTC", start) == ticks(text, timezone, start)


@given(CRONS, st.sampled_from(ZONES), STARTS)
@settings(max_examples=150, deadline=None)
def test_settled_they_fire_at_the_same_instants(text: str, timezone: str, start: str) -> None:
    try:
        spelled, place = portable.in_zone(ScheduleSpec(text, timezone), "Prefect")
    except UserError:
        return
    assert ticks(spelled, place, start) == ticks(text, timezone, start)


@pytest.mark.parametrize(
    ("text", "timezone", "meant"),
    [
        ("0 6 * * 1", "UTC", "0 6 * * 1"),
        ("30 6 * * 1", "Asia/Kolkata", "0 1 * * 1"),
        ("30 3 * * 1", "Asia/Kolkata", "0 22 * * 0"),
        ("*/15 * * * *", "Asia/Kolkata", "0,15,30,45 * * * *"),
        ("30 6 1 * *", "Asia/Kolkata", "0 1 1 * *"),
        ("*/20 * * * *", "Europe/Oslo", "0,20,40 * * * *"),
        ("10,40 * * * *", "Australia/Lord_Howe", "10,40 * * * *"),
    ],
)
def test_in_utc(text: str, timezone: str, meant: str) -> None:
    assert dst.in_utc(ScheduleSpec(text, timezone), "GitHub") == meant


@pytest.mark.parametrize(
    ("text", "timezone", "odd"),
    [
        ("30 2 * * *", "Europe/Oslo", "2:30"),
        ("30 3 * * *", "Europe/Oslo", ""),
        ("30 2 * * 1-5", "Europe/Oslo", ""),
        ("*/15 * * * *", "Europe/Oslo", ""),
        ("15 * * * *", "Europe/Oslo", ""),
        ("15 0-23 * * *", "Europe/Oslo", "2:15"),  # fixed times, to crontab
        ("*/15 0-12 * * *", "Europe/Oslo", "2:0"),
        ("30 0-23 * * *", "Europe/Oslo", "2:30"),  # fixed times, though at every hour
        ("45 1 * * *", "Australia/Lord_Howe", "1:45"),
        ("30 2 * * *", "UTC", ""),
        ("30 2 1 * *", "Europe/Oslo", ""),
        ("30 2 25 10 *", "Europe/Oslo", "2:30"),
    ],
)
def test_ticks_that_the_clocks_skip_or_repeat(text: str, timezone: str, odd: str) -> None:
    found = dst.first_unsteady_tick(text, timezone)
    assert (f"{found[1]}:{found[2]}" if found else "") == odd


@pytest.mark.parametrize(
    ("do", "text", "timezone", "said"),
    [
        (
            cron_fields.spelled,
            "0 6 */2 * 1",
            "UTC",
            "a day must match both day-of-month and day-of-week in this cron",
        ),
        (dst.in_utc, "0 6 * * 1", "Europe/Oslo", "X knows UTC alone, and the clocks of Europe/Oslo change"),
        (
            dst.in_utc,
            "0 3 1 * *",
            "Asia/Tokyo",
            "X knows UTC alone, and cron '0 3 1 * *' of Asia/Tokyo is no one cron",
        ),
        (portable.in_zone, "30 2 * * *", "Europe/Oslo", "cron '30 2 * * *' fires at 02:30 on 2026-03-29, a time that"),
        (portable.in_zone, "15 * * * *", "Australia/Lord_Howe", "cron '15 * * * *' fires at other minutes of UTC when"),
        (dst.in_utc, "20 * * * *", "Australia/Lord_Howe", "cron '20 * * * *' fires at other minutes of UTC when"),
        (dst.check_steady, "30 2 * * *", "Europe/Oslo", "cron '30 2 * * *' fires at 02:30 on 2026-03-29, a time that"),
    ],
)
def test_refused_in_one_line(do, text: str, timezone: str, said: str) -> None:
    with pytest.raises(UserError) as fault:
        do(ScheduleSpec(text, timezone), "X")
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


SPELLED = (
    dst,
    portable,
    dns_labels,
    cron_fields,
    kubernetes,
    ascii_names,
    parameters,
    backoff,
    python,
    templates,
    yaml,
    calendar,
)


@pytest.mark.parametrize("module", SPELLED, ids=lambda module: module.__name__)
def test_examples(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    max_leaves=10,
)


@given(VALUES)
def test_a_parameters_text_is_its_value_and_no_placeholder(value: object) -> None:
    text = parameters.text(value)
    assert repr(json.loads(text)) == repr(value)
    assert text.isascii()
    assert text.isprintable()
    assert not any(sign in text for sign in ("$", "%", "{{"))


@pytest.mark.parametrize("value", [10**30, {"a": [None]}])
def test_what_json_holds(value: object) -> None:
    assert parameters.settable(Parameter("p", value))


@pytest.mark.parametrize("value", [{1: "a"}, (1, 2), {1, 2}, [(1,)], float("nan"), float("-inf")], ids=repr)
def test_what_json_does_not_hold(value: object) -> None:
    assert not parameters.settable(Parameter("p", value))


KEYS = st.from_regex("[a-z]+", fullmatch=True)


@pytest.mark.parametrize("quick", [False, True])
@given(values=st.dictionaries(KEYS, st.text(st.characters(codec="utf-8")) | st.integers()))
def test_yaml_is_what_was_written(values: dict[str, object], quick: bool) -> None:
    text = yaml.documents(values, quick=quick)
    assert safe_load(text) == values
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("text", ["no", "on", "Y", "1e3", "0123", "1_0", "12:30", "~", "=", ".inf", "2026-01-01", ""])
def test_yaml_leaves_no_text_to_be_guessed(text: str) -> None:
    assert yaml.documents({"a": text}) == f'a: "{text}"\n'
    assert yaml.documents({"a": text}, quick=True) == f'a: "{text}"\n'


def test_half_a_character_is_escaped_also_in_haste() -> None:
    assert yaml.documents({"a": "\ud800"}, quick=True) == 'a: "\\uD800"\n'


@given(st.lists(st.from_regex(r"[^\W\d]\w{0,70}", fullmatch=True).filter(str.isidentifier), unique=True, max_size=5))
def test_names_of_kubernetes(given: list[str]) -> None:
    made = [dns_labels.label(name) for name in given]
    assert all(re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= 52 for name in made)
    assert len(set(made)) == len(made)


@given(st.lists(st.text(st.characters(categories=("L", "Nd")), min_size=1), unique=True))
def test_plain_names_are_ascii_each_its_own(given: list[str]) -> None:
    found = ascii_names.plain(given, {"config"})
    assert list(found) == given
    assert len(set(found.values())) == len(given)
    assert all(re.fullmatch("[A-Za-z0-9_]+", name) for name in found.values())
    assert "config" not in found.values()


def test_a_template_is_filled_in_one_pass() -> None:
    text = templates.Template('"$HOME" {x} @@{ONE}@flow $${TWO} @@{TWO}').substitute(ONE="@@{TWO}", TWO="@@@@")
    assert text == '"$HOME" {x} @@{TWO}@flow $${TWO} @@@@'


def test_a_template_lacks_nothing_and_has_no_slip_of_the_pen() -> None:
    with pytest.raises(KeyError, match="TWO"):
        templates.Template("@@{ONE} @@{TWO}").substitute(ONE="1")
    with pytest.raises(ValueError, match="Invalid placeholder"):
        templates.Template("@@{one}").substitute(ONE="1")
