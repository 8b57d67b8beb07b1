"""The Jenkinsfile: read by Groovy itself and checked by npm-groovy-lint. There is no Jenkins on this machine.

The commands of its stages are run as Jenkins would, one after the other, and give the notebook's values; what Jenkins
makes of `parallel`, `retry` or `cron` is not seen here.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.runtime.cli.parameters import parse_parameters
from mlops_jupyter.runtime.model.pipeline import Pipeline
from mlops_jupyter.services.cron import cron_fields, dst
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.targets import jenkins
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines.demos import DIAMOND, EACH, Demo, bundle, engine, proven
from tests.engines.gitlab_local import PROGRAMS, node
from tests.engines.machine import python
from tests.receiver import Receiver
from tests.services.export.test_spelling import CRONS, STARTS, ZONES

pytestmark = pytest.mark.validated("jenkins")

GROOVY = PROGRAMS.parent / "npm-groovy-lint" / "lib" / "java" / "groovy" / "lib"
Calls = list[tuple[str, list[Any]]]

PLANS = {
    "churn": replace(
        CHURN,
        steps=(
            *CHURN.steps,
            PlanStep("left", "1", "", inputs={"model": "train"}, resources=Resources(timeout_seconds=60)),
            PlanStep("right", "1", "", inputs={"model": "train"}, resources=Resources(retries=3)),
        ),
        schedule=ScheduleSpec("0 6 1,15 * mon", "Europe/Oslo"),
    ),
    "bare": Plan("p", "p", steps=(PlanStep("only", "1", ""),)),
    "hostile": replace(
        CHURN, parameters=tuple(Parameter(f"p{n}", text) for n, text in enumerate((*HOSTILE, r"\u0027")))
    ),
    "after": replace(CHURN, schedule=ScheduleSpec(after="load_data")),
    "unicode": replace(CHURN, package="größe"),
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Calls]:
    """What Groovy reads in the file of each plan."""
    folder = tmp_path_factory.mktemp("jenkins")
    for name, plan in PLANS.items():
        (folder / name).write_text(jenkins.render(plan)["Jenkinsfile"])
    return dict(zip(PLANS, groovy(*(folder / name for name in PLANS)), strict=True))


def groovy(*files: Path) -> list[Calls]:
    command = ["java", "-cp", f"{GROOVY}/*", "groovy.ui.GroovyMain", Path(__file__).with_name("jenkinsfile.groovy")]
    said = engine(*command, *files, cwd=files[0].parent, JAVA_TOOL_OPTIONS="-Dfile.encoding=UTF-8")
    return [json.loads(line) for line in said.splitlines() if line.startswith("[")]


def args(calls: Calls, name: str) -> list[Any]:
    return [words[0] for called, words in calls if called == name and words]


def test_the_file_is_the_plan(read: Mapping[str, Calls]) -> None:
    calls = read["churn"]
    stages = ["requirements", "load", "clean", "train", "report and left and right", "report", "left", "right"]
    assert args(calls, "stage") == stages
    row = [name for name, _ in calls]
    assert row.index("parallel") < row.index("/parallel")
    assert row.count("parallel") == 1
    assert args(calls, "retry") == [3, 2, 4]
    assert args(calls, "cron") == ["TZ=Europe/Oslo\n0 6 1,15 * *\n0 6 * * 1"]
    assert args(calls, "DATABASE_URL") == [{"credentials": "DATABASE_URL"}]
    assert ("disableConcurrentBuilds", []) in map(tuple, calls)
    assert args(read["after"], "upstream") == [{"upstreamProjects": "load_data", "threshold": "SUCCESS"}]
    assert args(read["after"], "cron") == args(read["bare"], "cron") == []


def test_parameters_have_types_and_no_value_breaks_out(read: Mapping[str, Calls]) -> None:
    assert args(read["churn"], "booleanParam") == [{"name": "PARAMETER_verbose", "defaultValue": False}]
    found = {each["name"]: each["defaultValue"] for each in args(read["hostile"], "string")}
    for each in PLANS["hostile"].parameters:
        line = found[f"PARAMETER_{each.name}"]
        pipeline = Pipeline("p", "p", parameters={each.name: each.default})
        assert parse_parameters(pipeline, [f"{each.name}={line}"]) == {each.name: each.default}
    frames = [[name for name, _ in read[plan]] for plan in ("after", "unicode")]
    assert len({len(frame) for frame in frames}) == 1


def built(laid: Path, typed: Mapping[str, str], calls: Calls, code: int = 0) -> None:
    """Run the commands of the stages as a build does: in a shell, what is typed in the environment."""
    (laid / ".venv").mkdir()
    (laid / ".venv" / "bin").symlink_to(python())
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env = {**kept, "BUILD_NUMBER": "7", **typed}
    commands = [command for command in args(calls, "sh") if " step " in command]
    done = [subprocess.run(["sh", "-xe", "-c", each], cwd=laid, env=env, timeout=120) for each in commands]
    assert max(each.returncode for each in done) == code


@pytest.mark.parametrize("demo", EACH)
def test_its_commands_give_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "jenkins")
    (calls,) = groovy(laid / "Jenkinsfile")
    typed = {} if demo is not DIAMOND else defaults(calls)
    built(laid, typed, calls)
    proven(laid, laid / "out", demo)


def defaults(calls: Calls) -> dict[str, str]:
    texts = {each["name"]: each["defaultValue"] for each in args(calls, "string")}
    return texts | {each["name"]: json.dumps(each["defaultValue"]) for each in args(calls, "booleanParam")}


def test_with_parameters_and_before_they_are_known(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "jenkins")
    (calls,) = groovy(laid / "Jenkinsfile")
    typed = {name: value if isinstance(value, str) else json.dumps(value) for name, value in DIAMOND.given.items()}
    built(laid, {f"PARAMETER_{name}": value for name, value in typed.items()}, calls)
    proven(laid, laid / "out", DIAMOND, then=True)


def test_a_failure_is_told(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "jenkins", alert="ALERT_URL")
    step = laid / "src" / "diamond" / "steps" / "load.py"
    step.write_text(step.read_text().replace("list(range(count))", "no_such_name"))
    (calls,) = groovy(laid / "Jenkinsfile")
    built(laid, {}, calls, code=2)  # the later ones lack what the first did not make
    (command,) = (each for each in args(calls, "sh") if " alert " in each)
    with Receiver() as receiver:
        env = {**os.environ, "BUILD_NUMBER": "7", "ALERT_URL": receiver.url, "PYTHONPATH": ""}
        subprocess.run(["sh", "-xe", "-c", command], cwd=laid, env=env, check=True, timeout=60)
    assert "step 'load' failed: NameError" in receiver.requests[0]["body"]["text"]


@pytest.mark.slow
def test_groovy_lint_finds_no_error(tmp_path: Path) -> None:
    for name, plan in PLANS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "Jenkinsfile").write_text(jenkins.render(plan)["Jenkinsfile"])
    words = ("--failon", "error", "--path", tmp_path, "--files", "**/Jenkinsfile", "--noserver")
    said = node("npm-groovy-lint", *words, cwd=tmp_path)
    assert f"results in {len(PLANS)} linted files" in said.replace("\x1b[1m", "").replace("\x1b[22m", "")


def matches(lines: list[str], minute: datetime) -> bool:
    """Whether Jenkins starts a build: all five fields of some line match (its CronTab reads each so)."""
    wall = (minute.minute, minute.hour, minute.day, minute.month, (minute.weekday() + 1) % 7)
    rows = [[field == "*" or at in map(int, field.split(",")) for field, at in zip(line.split(), wall, strict=True)]
            for line in lines]  # fmt: skip
    return any(map(all, rows))


@given(expression=CRONS, zone=st.sampled_from(ZONES), start=STARTS)
@settings(max_examples=40, deadline=None)
def test_fires_when_crontab_does(expression: str, zone: str, start: str) -> None:
    """Jenkins looks at each minute that passes; so does this, for a week from before a change of the clocks."""
    schedule = ScheduleSpec(expression, zone)
    try:
        dst.check_steady(schedule, "Jenkins")
    except UserError:
        return
    lines, place = cron_fields.union(schedule), ZoneInfo(zone)
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC) + timedelta(days=22)
    minutes = (begin + timedelta(minutes=n) for n in range(1, 7 * 24 * 60 + 1))
    theirs = [minute for minute in minutes if matches(lines, minute.astimezone(place))][:50]
    ours = [tick.astimezone(UTC) for tick in next_times(expression, zone, begin, 50)]
    assert theirs == [tick for tick in ours if tick <= begin + timedelta(days=7)]
