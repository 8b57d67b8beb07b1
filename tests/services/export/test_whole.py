"""What a job's form holds: each default comes back as it was, whatever it is."""

from __future__ import annotations

import doctest
import json
import math

import pytest
import yaml as pyyaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.runtime.cli.parameters import parse_parameters
from mlops_jupyter.runtime.model.pipeline import Pipeline
from mlops_jupyter.services.cron import cron_fields
from mlops_jupyter.services.export.emit import single_job, yaml
from tests.contracts.test_targets import HOSTILE

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(HOSTILE),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=6,
)


@given(VALUES)
@settings(deadline=None)
def test_a_default_is_read_as_it_was(value: object) -> None:
    line = single_job.cli_literal(value)
    assert line is not None
    assert line.isprintable()
    assert "$" not in line
    found = parse_parameters(Pipeline("p", "p", parameters={"x": value}), [f"x={line}"])["x"]
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "text", ["no", "1e3", "0123", "true", "null", "NaN", "4", "[1]", "", "it's", "{{ ds }}", "région"]
)
def test_a_plain_text_stands_for_itself(text: str) -> None:
    assert single_job.cli_literal(text) == text
    assert parse_parameters(Pipeline("p", "p", parameters={"x": "a text"}), [f"x={text}"])["x"] == text


@pytest.mark.parametrize("value", [(1, 2), {1: "a"}, b"x", {1}], ids=repr)
def test_no_line_for_what_json_does_not_hold(value: object) -> None:
    assert single_job.cli_literal(value) is None


def test_what_a_form_cannot_hold_is_named() -> None:
    names = ("n", "N", "größe", "pair", "m", "last")
    plan = Plan("p", "p", (), parameters=tuple(Parameter(n, (1, 2) if n == "pair" else 1) for n in names))
    assert [parameter.name for parameter, _ in single_job.settable(plan, 2)] == ["n", "m"]
    assert single_job.unsettable(plan, "GitHub", 2) == (
        "\nNot to be set from GitHub, which cannot hold them: `N`, `größe`, `pair`, `last`.\n"
    )


def test_minutes_are_those_of_all_tries_and_pauses() -> None:
    limited = PlanStep("a", "1", "", resources=Resources(timeout_seconds=90, retries=2, backoff_seconds=100))
    assert single_job.minutes(Plan("p", "p", (limited,))) == math.ceil((3 * 90 + 100 + 100) / 60)
    assert single_job.minutes(Plan("p", "p", (limited, PlanStep("b", "1", "")))) == single_job.LONGEST_MINUTES
    assert single_job.LONGEST_MINUTES + single_job.SPARE_MINUTES <= 360, "a job that GitHub itself ends tells nobody"


TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["no", "1e3", "0o17", "12:30", "=", "<<", "1_0"]
)


@given(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS) | st.floats(allow_nan=False) | st.booleans() | st.integers()))
@settings(deadline=None)
def test_yaml_holds_what_it_was_given(facts: dict[str, object]) -> None:
    assert pyyaml.safe_load(yaml.documents(facts)) == facts


@pytest.mark.parametrize(
    "text", ["no", "Y", "on", "1e3", "0o17", "0123", "1_000", "12:30", ".inf", "~", "null", "-", "a: b"]
)
def test_yaml_quotes_what_some_reader_takes_for_another_thing(text: str) -> None:
    assert yaml.documents({"a": text}) == f"a: {json.dumps(text)}\n"


@pytest.mark.parametrize(
    ("expression", "gap"),
    [("*/5 * * * *", 5), ("58,59 23 * * *", 1), ("0,58 0,23 * * *", 2), ("*/7 * * * *", 4), ("0 6 * * *", 24 * 60)],
)
def test_ticks_that_are_too_close_are_refused(expression: str, gap: int) -> None:
    cron_fields.check_gap(ScheduleSpec(expression), gap, "GitHub")
    with pytest.raises(UserError, match=f"fires {gap} minutes apart, and GitHub starts runs no more often than every"):
        cron_fields.check_gap(ScheduleSpec(expression), gap + 1, "GitHub")


@pytest.mark.parametrize("module", [single_job, yaml], ids=lambda module: module.__name__)
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
