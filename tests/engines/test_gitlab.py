"""The pipeline for GitLab: run by gitlab-ci-local on this machine, checked by GitLab's schema, its cron by fugit."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.targets import gitlab
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines.demos import DIAMOND, EACH, LINEAR, Demo, bundle, engine, proven
from tests.engines.gitlab_local import pipeline
from tests.engines.machine import commit, repository
from tests.receiver import Receiver
from tests.services.export.test_spelling import CRONS, STARTS, ZONES

pytestmark = pytest.mark.ran("gitlab")

BREAKING = "'; touch hit; `touch hit` {{ x }} \\ \" 0123"


@pytest.mark.parametrize("demo", EACH)
def test_on_time_it_gives_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "gitlab", schedule="0 6 * * 1")
    repository(laid)
    pipeline(laid, "schedule")
    proven(laid, kept(laid), demo)


def kept(laid: Path) -> Path:
    """Where the artifacts of the job lie, which is a store of one run."""
    (folder,) = (laid / ".gitlab-ci-local" / "artifacts").iterdir()
    return folder / "out"


def test_by_hand_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "gitlab")
    repository(laid)
    typed = {name: value if isinstance(value, str) else json.dumps(value) for name, value in DIAMOND.given.items()}
    pipeline(laid, "web", variables={f"PARAMETER_{name}": value for name, value in typed.items()})
    proven(laid, kept(laid), DIAMOND, then=True)


def test_what_is_typed_stays_a_value_and_what_is_known_is_not_done_again(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "gitlab")
    repository(laid)
    pipeline(laid, "web")
    pipeline(laid, "web", variables={"PARAMETER_text": BREAKING})
    run = max(kept(laid).iterdir(), key=lambda path: path.name)
    assert json.loads((run / "outputs" / "said.json").read_text()) == f"{BREAKING}|no"
    steps = {path.stem: json.loads(path.read_text())["status"] for path in (run / "steps").iterdir()}
    assert steps == {"load": "cached", "left": "cached", "right": "cached", "join": "done"}
    assert not list(tmp_path.rglob("hit"))


def test_a_failure_is_told_and_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    laid = bundle(LINEAR, tmp_path, "gitlab", secret=["DATABASE_URL"], alert="ALERT_URL")
    step = laid / "src" / "linear" / "steps" / "clean.py"
    step.write_text(step.read_text().replace("rows.sort()", "raise ValueError('no rows')"))
    repository(laid)
    with Receiver() as receiver:
        said = pipeline(laid, "schedule", code=1, variables={"ALERT_URL": receiver.url})
        assert "DATABASE_URL: is not set: add it to the CI/CD variables" in said
        pipeline(laid, "schedule", code=1, variables={"ALERT_URL": receiver.url, "DATABASE_URL": "x"})
    first, second = (request["body"] for request in receiver.requests)
    assert first["status"] == "failed"
    assert second["text"].endswith("failed: step 'clean' failed: ValueError: no rows")


def test_a_merge_request_is_held_against_the_notebooks_values(tmp_path: Path) -> None:
    laid = bundle(LINEAR, tmp_path, "gitlab")
    repository(laid)
    assert "1 passed" in pipeline(laid, "merge_request_event")
    step = laid / "src" / "linear" / "steps" / "sum_up.py"
    step.write_text(step.read_text().replace("sum(odd)", "sum(odd) + 1"))
    commit(laid)
    assert "differs" in pipeline(laid, "merge_request_event", code=1)


def test_in_a_folder_of_another_repository(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    laid = bundle(LINEAR, whole / "build", "gitlab")
    include = {"include": {"local": "build/linear/.gitlab-ci.yml"}, "variables": {"BUNDLE": "build/linear"}}
    (whole / ".gitlab-ci.yml").write_text(yaml.safe_dump(include))
    repository(whole)
    pipeline(whole, "web")
    (folder,) = (whole / ".gitlab-ci-local" / "artifacts").iterdir()
    proven(laid, folder / "build" / "linear" / "out", LINEAR)


PLANS = {
    "churn": CHURN,
    "bare": Plan("p", "p", steps=(PlanStep("only", "1", ""),)),
    "hostile": replace(CHURN, parameters=tuple(Parameter(f"p{n}", text) for n, text in enumerate(HOSTILE))),
    "traps": replace(CHURN, parameters=tuple(map(Parameter, ("no", "y", "PATH"), ("1e3", "0123", "true")))),
    "unicode": replace(CHURN, package="größe"),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_gitlabs_own_rules(plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(gitlab.render(plan)[file.name])
    words = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    engine("check-jsonschema", *words, file, cwd=tmp_path)


def test_the_commands_of_the_readme_call_gitlabs_api(tmp_path: Path) -> None:
    """All but the push: the last block is run as it stands, against a server of this machine."""
    commands = re.findall(r"```sh\n(.*?)```", gitlab.deploy(CHURN), re.DOTALL)[-1]
    with Receiver() as receiver:
        env = {"GITLAB": receiver.url, "GROUP": "g", "TOKEN": "t", "DATABASE_URL": "a b&c", "ALERT_URL": "x"}
        subprocess.run(["sh", "-e", "-c", commands], env={"PATH": "/usr/bin:/bin", **env}, check=True, timeout=60)
    made = [(each["path"], parse_qs(each["body"])) for each in receiver.requests]
    project = "/api/v4/projects/g%2Fchurn"
    assert [each["headers"]["Private-Token"] for each in receiver.requests] == ["t"] * 4
    assert made == [
        (f"{project}/variables", {"key": ["DATABASE_URL"], "masked": ["true"], "value": ["a b&c"]}),
        (f"{project}/variables", {"key": ["ALERT_URL"], "masked": ["true"], "value": ["x"]}),
        (
            f"{project}/pipeline_schedules",
            {"description": ["churn"], "ref": ["main"], "cron": ["0 6 * * 1"], "cron_timezone": ["Europe/Oslo"]},
        ),
        (
            f"{project}/pipeline?ref=main",
            {"variables[][key]": ["PARAMETER_n_estimators"], "variables[][value]": ["200"]},
        ),
    ]


FUGIT = """
require "json"; require "fugit"
STDOUT.sync = true
STDIN.each_line do |line|
  cron, zone, start, count = JSON.parse(line)
  parsed = Fugit::Cron.parse("#{cron} #{zone}")
  at = EtOrbi.parse(start)
  puts JSON.dump((1..count).map { at = parsed.next_time(at); at.to_i })
end
"""


@pytest.fixture(scope="module")
def fugit() -> subprocess.Popen[str]:
    """GitLab's cron library, asked line by line."""
    with subprocess.Popen(["ruby", "-e", FUGIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asked:
        yield asked
        asked.stdin.close()


def fires_alike(fugit: subprocess.Popen[str], schedule: ScheduleSpec, start: str, count: int = 50) -> None:
    cron = gitlab._cron(schedule)
    assert fugit.stdin
    assert fugit.stdout
    fugit.stdin.write(json.dumps([cron, schedule.timezone, f"{start}T00:00:00Z", count]) + "\n")
    fugit.stdin.flush()
    theirs = [datetime.fromtimestamp(second, UTC) for second in json.loads(fugit.stdout.readline())]
    ours = next_times(schedule.cron, schedule.timezone, datetime.fromisoformat(start).replace(tzinfo=UTC), count)
    assert theirs == [tick.astimezone(UTC) for tick in ours]


TICKS = {
    "0 6 * * 7": 50,
    "0 6 * * 0": 50,
    "0,20,40 8-18/2 * jan-mar mon-fri": 50,
    "15 5 1,15 * 3": 50,
    "@weekly": 50,
    "0 6 31 * *": 5,  # fugit goes through the days one by one
    "30 12 29 2 *": 2,
}


@pytest.mark.parametrize(("cron", "count"), TICKS.items(), ids=TICKS)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Oslo", "America/New_York"])
def test_fires_when_crontab_does(fugit: subprocess.Popen[str], cron: str, count: int, zone: str) -> None:
    fires_alike(fugit, ScheduleSpec(cron, zone), "2026-03-05", count)


@given(cron=CRONS, zone=st.sampled_from(ZONES), start=STARTS)
@settings(max_examples=40, deadline=None)
def test_fires_when_crontab_does_whatever_it_says(
    fugit: subprocess.Popen[str], cron: str, zone: str, start: str
) -> None:
    try:
        gitlab._cron(ScheduleSpec(cron, zone))
    except UserError:
        return
    fires_alike(fugit, ScheduleSpec(cron, zone), start, 12)
