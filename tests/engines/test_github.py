"""The workflow for GitHub Actions: run by act on this machine, checked by actionlint, act and GitHub's schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.export.targets import github
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines.act import act
from tests.engines.demos import DIAMOND, EACH, LINEAR, Demo, bundle, engine, proven
from tests.engines.machine import commit, repository
from tests.receiver import Receiver

pytestmark = pytest.mark.ran("github")

RUN = "github-1-1"
BREAKING = "'; touch hit; $(touch hit) `touch hit` ${{ github.token }} {{ x }} \\ \" 0123"


@pytest.mark.parametrize("demo", EACH)
def test_on_time_it_gives_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "github", schedule="0 6 * * 1")
    repository(laid)
    _, kept = act(laid, "schedule", f"{demo.name}.yml")
    proven(laid, kept / RUN, demo)


def test_by_hand_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "github")
    repository(laid)
    inputs = {name: value if isinstance(value, str) else json.dumps(value) for name, value in DIAMOND.given.items()}
    _, kept = act(laid, "workflow_dispatch", "diamond.yml", inputs=inputs)
    proven(laid, kept / RUN, DIAMOND, then=True)


def test_by_hand_what_is_typed_stays_a_value_and_what_is_known_is_not_done_again(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "github")
    repository(laid)
    _, kept = act(laid, "workflow_dispatch", "diamond.yml")
    proven(laid, kept / RUN, DIAMOND)
    (kept / RUN / RUN).rename(kept / "first")
    _, kept = act(laid, "workflow_dispatch", "diamond.yml", inputs={"text": BREAKING})
    outputs = kept / RUN / RUN / "outputs"
    assert json.loads((outputs / "said.json").read_text()) == f"{BREAKING}|no"
    steps = {path.stem: json.loads(path.read_text())["status"] for path in (kept / RUN / RUN / "steps").iterdir()}
    assert steps == {"load": "cached", "left": "cached", "right": "cached", "join": "done"}
    assert not list(tmp_path.rglob("hit"))


def test_a_failure_is_told_and_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    laid = bundle(LINEAR, tmp_path, "github", secret=["DATABASE_URL"], alert="ALERT_URL")
    step = laid / "src" / "linear" / "steps" / "clean.py"
    step.write_text(step.read_text().replace("rows.sort()", "raise ValueError('no rows')"))
    repository(laid)
    with Receiver() as receiver:
        secrets = ["-s", f"ALERT_URL={receiver.url}"]
        said, _ = act(laid, "workflow_dispatch", "linear.yml", *secrets, code=1)
        assert "DATABASE_URL: is not set: add it to the secrets of the repository" in said
        act(laid, "workflow_dispatch", "linear.yml", *secrets, "-s", "DATABASE_URL=x", code=1)
    first, second = (request["body"] for request in receiver.requests)
    assert (first["run"], first["status"]) == (RUN, "failed")
    assert second["text"] == f"pipeline linear: run {RUN} failed: step 'clean' failed: ValueError: no rows"


def test_a_pull_request_is_held_against_the_notebooks_values(tmp_path: Path) -> None:
    laid = bundle(LINEAR, tmp_path, "github")
    repository(laid)
    said, kept = act(laid, "pull_request", "linear.yml")
    assert "1 passed" in said
    assert not (kept / RUN).exists()
    step = laid / "src" / "linear" / "steps" / "sum_up.py"
    step.write_text(step.read_text().replace("sum(odd)", "sum(odd) + 1"))
    commit(laid)
    said, _ = act(laid, "pull_request", "linear.yml", code=1)
    assert "differs" in said


PLANS = {
    "churn": CHURN,
    "bare": Plan("p", "p", steps=(PlanStep("only", "1", ""),)),
    "hostile": replace(CHURN, parameters=tuple(Parameter(f"p{n}", text) for n, text in enumerate(HOSTILE))),
    "many": replace(CHURN, parameters=tuple(Parameter(f"p{n}", n) for n in range(40))),
    "traps": replace(CHURN, parameters=tuple(map(Parameter, ("no", "y", "on", "null"), ("1e3", "0123", "true", "4")))),
    "after": replace(CHURN, schedule=ScheduleSpec(after="load_data")),
    "often": replace(CHURN, schedule=ScheduleSpec("*/15 8-18 1,15 * mon-fri", "America/New_York")),
    "unicode": replace(CHURN, package="größe"),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_githubs_own_rules(plan: Plan, tmp_path: Path) -> None:
    """A schedule's time zone is newer than act's schema, so it is left out for act alone."""
    ((path, text),) = github.render(plan).items()
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    engine("actionlint", "-shellcheck=", "-pyflakes=", file, cwd=tmp_path)
    engine("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file, cwd=tmp_path)
    facts = yaml.safe_load(text)
    scripts = [step["run"] for job in facts["jobs"].values() for step in job["steps"] if "run" in step]
    assert scripts
    assert "${{" not in "".join(scripts), "what is put into a script could be a part of it"
    for tick in facts["on"].get("schedule", ()):
        tick.pop("timezone", None)
    file.write_text(yaml.safe_dump(facts))
    engine("act", "--strict", "--validate", "-W", file, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "act"))


def form(plan: Plan) -> dict[str, Any]:
    ((_, text),) = github.render(plan).items()
    found: dict[str, Any] = yaml.safe_load(text)["on"]["workflow_dispatch"]["inputs"]
    return found


def test_inputs_have_the_types_of_the_parameters() -> None:
    assert {name: (each["type"], each["default"]) for name, each in form(CHURN).items()} == {
        "n_estimators": ("number", 200),
        "threshold": ("number", 0.5),
        "label": ("string", '"who\'s \\"leaving\\"?\\n{{ ds }} \\u0024(rm -rf ~) `x` {% raw %} @@STEPS@@"'),
        "verbose": ("boolean", False),
        "columns": ("string", '["age", "région"]'),
        "grid": ("string", '{"depth": [3, null]}'),
        "limit": ("string", "null"),
    }
    traps = form(PLANS["traps"])
    assert {name: (each["type"], each["default"]) for name, each in traps.items()} == {
        "no": ("string", "1e3"),
        "y": ("string", "0123"),
        "on": ("string", "true"),
        "null": ("string", "4"),
    }


def test_more_parameters_than_a_form_holds_are_named() -> None:
    plan = PLANS["many"]
    assert len(form(plan)) == 25
    assert "Not to be set from GitHub, which cannot hold them: `p25`, `p26`" in github.deploy(plan)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (replace(CHURN, secrets=("GITHUB_KEY",)), "secret 'GITHUB_KEY': GitHub keeps names with GITHUB_ for itself"),
        (
            replace(CHURN, secrets=("DB_URL", "db_url")),
            "secret 'DB_URL': GitHub takes upper and lower case for the same",
        ),
        (
            replace(CHURN, schedule=ScheduleSpec("* * * * *")),
            "cron '* * * * *' fires 1 minutes apart, and GitHub Actions",
        ),
        (
            replace(CHURN, schedule=ScheduleSpec("30 2 * * *", "Europe/Oslo")),
            "cron '30 2 * * *' fires at 02:30 on 2026-03-29",
        ),
        (replace(CHURN, schedule=ScheduleSpec(after="a b")), "pipeline 'a b' is no Python name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_github_cannot_keep_is_refused(plan: Plan, said: str) -> None:
    with pytest.raises(UserError) as fault:
        github.render(plan)
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)
