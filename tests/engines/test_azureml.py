"""The Azure ML target: Azure's own SDK compiles its files, and the commands of the jobs, run in order, give the values.

Azure itself is a cloud. What runs here is what it would run: the command of each job in a shell, its placeholders put
in as Azure documents it, in the order that the SDK's edges ask for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.bundle.create import write
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.targets import azureml
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines import robfig
from tests.engines.demos import CLOUDS, DIAMOND, EACH, ENGINES, ROOT, Demo, bundle, engine, proven
from tests.engines.failing import FAILING

PROBE = ROOT / "tests" / "engines" / "azureml_probe.py"
PLACEHOLDER = re.compile(r"\$\{\{(.+?)\}\}")
WEEKLY = ScheduleSpec("0 6 * * 1", "Asia/Kolkata")
PLANS = {
    "churn": replace(CHURN, schedule=WEEKLY),
    "often": replace(CHURN, schedule=ScheduleSpec(every_seconds=5400)),
    "bare": Plan("p", "p", steps=(PlanStep("only", "1", ""),)),
    "names": replace(
        CHURN,
        schedule=None,
        steps=(
            PlanStep("Load", "1", ""),
            PlanStep("load", "1", "", after=("Load",)),
            PlanStep("données", "1", "", after=("load",)),
        ),
        parameters=(Parameter("C", 1), Parameter("c", 2), Parameter("größe", 3), Parameter("after_load", 4)),
    ),
    "hostile": replace(CHURN, schedule=None, parameters=tuple(Parameter(f"p{n}", t) for n, t in enumerate(HOSTILE))),
}

Sent = dict[str, Any]


def compiled(*folders: Path) -> list[Sent]:
    """What the SDK would send of each folder's files."""
    said = engine(CLOUDS / "python", PROBE, *folders, cwd=folders[0])
    found: list[Sent] = json.loads(said.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sent]:
    folder = tmp_path_factory.mktemp("azureml")
    for name, plan in PLANS.items():
        (folder / name / "azureml").mkdir(parents=True)
        for path, text in azureml.render(plan).items():
            (folder / name / path).write_text(text)
    return dict(zip(PLANS, compiled(*(folder / name / "azureml" for name in PLANS)), strict=True))


def before(job: Mapping[str, Any]) -> list[str]:
    """The jobs that one waits for, as the SDK has them."""
    found = (PLACEHOLDER.fullmatch(one["value"]) for one in job.get("inputs", {}).values())
    return sorted(mark[1].split(".")[2] for mark in found if mark and mark[1].startswith("parent.jobs."))


@pytest.mark.validated("azureml")
def test_the_sdk_compiles_the_plan(sent: Mapping[str, Sent]) -> None:
    found = sent["churn"]
    assert {name: before(job) for name, job in found["jobs"].items()} == {
        step.name: sorted(step.upstream) for step in CHURN.steps
    }
    assert found["trigger"]["expression"] == "30 0 * * 1"
    assert "UTC" in found["trigger"].values()
    assert (sent["often"]["trigger"]["frequency"], sent["often"]["trigger"]["interval"]) == ("minute", 90)
    assert not any(secret in json.dumps(found) for secret in CHURN.secrets)


@pytest.mark.validated("azureml")
def test_names_stay_apart(sent: Mapping[str, Sent]) -> None:
    jobs = sent["names"]["jobs"]
    assert len(jobs) == 3
    assert len(sent["names"]["inputs"]) == 4
    assert [len(before(job)) for job in jobs.values()] == [0, 1, 1]


@pytest.mark.validated("azureml")
def test_no_value_breaks_out(sent: Mapping[str, Sent]) -> None:
    for number, text in enumerate(HOSTILE):
        line = sent["hostile"]["inputs"][f"p{number}"]
        said = subprocess.run(["bash", "-c", f"printf %s '{line}'"], stdout=subprocess.PIPE, check=True).stdout
        assert json.loads(said) == text


def execute(laid: Path, store: Path, given: Mapping[str, str]) -> dict[str, int]:
    """Run the jobs as Azure does, each once those have ended that it takes something of; return their exit codes."""
    pipeline = yaml.safe_load((laid / "azureml" / "pipeline.yml").read_text())
    (found,) = compiled(laid / "azureml")
    values = {f"parent.inputs.{name}": value for name, value in {**found["inputs"], **given}.items()}
    env = {"PATH": f"{ENGINES}:{os.environ['PATH']}", "PYTHONPATH": str(laid / "src"), "AZUREML_ROOT_RUN_ID": "root-1"}
    codes: dict[str, int] = {}
    while waiting := {n: job for n, job in found["jobs"].items() if n not in codes and set(before(job)) <= set(codes)}:
        for name, job in waiting.items():
            inputs = {n: PLACEHOLDER.fullmatch(one["value"]) for n, one in job.get("inputs", {}).items()}
            put_in = {f"inputs.{n}": values.get(mark[1], "") for n, mark in inputs.items() if mark}
            put_in["outputs.store"] = str(store)
            command = PLACEHOLDER.sub(lambda mark, put=put_in: put[mark[1]], pipeline["jobs"][name]["command"])
            codes[name] = subprocess.run(["bash", "-c", command], cwd=laid, env=env, timeout=120).returncode
    assert len(codes) == len(found["jobs"])
    return codes


@pytest.mark.validated("azureml")
@pytest.mark.parametrize("demo", EACH)
def test_its_commands_give_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "azureml")
    assert set(execute(laid, tmp_path / "store", {}).values()) == {0}
    assert proven(laid, tmp_path / "store", demo) == "root-1"


@pytest.mark.validated("azureml")
def test_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "azureml")
    execute(laid, tmp_path / "store", {name: json.dumps(value) for name, value in DIAMOND.given.items()})
    proven(laid, tmp_path / "store", DIAMOND, then=True)


@pytest.mark.validated("azureml")
def test_a_step_that_fails_is_tried_again(tmp_path: Path) -> None:
    write(render(FAILING, [azureml]), tmp_path / "mini")
    assert 1 in execute(tmp_path / "mini", tmp_path / "store", {}).values()
    (tried,) = (tmp_path / "store").glob("**/tried")
    assert tried.read_text() == "xxx"


@pytest.mark.parametrize(
    ("cron", "zone", "start"),
    [
        ("0 6 * * 1", "UTC", "2026-02-20T00:00:00+00:00"),
        ("30 * * * *", "Europe/Oslo", "2026-03-28T12:00:00+00:00"),  # over both changes of the clocks
        ("30 * * * *", "Europe/Oslo", "2026-10-24T00:00:00+00:00"),
        ("*/20 2-4 * * mon-wed,7", "Asia/Tokyo", "2028-02-27T00:00:00+00:00"),  # over February 29
        ("@daily", "Asia/Tokyo", "2027-12-20T00:00:00+00:00"),
    ],
)
def test_fires_when_the_clock_says(cron: str, zone: str, start: str) -> None:
    """Its crons are numbers and lists of minutes, hours and weekdays, in UTC: nobody reads these in two ways."""
    text = azureml.render(replace(CHURN, schedule=ScheduleSpec(cron, zone)))["azureml/schedule.yml"]
    line, begin = yaml.safe_load(text)["trigger"]["expression"], datetime.fromisoformat(start)
    assert set(line) <= set("0123456789,* ")
    assert line.split()[2:4] == ["*", "*"]
    assert robfig.next_times(line, "UTC", begin, 50) == [
        tick.astimezone(UTC) for tick in next_times(cron, zone, begin, 50)
    ]


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (ScheduleSpec("0 6 1 * *"), "cron '0 6 1 * *' restricts day-of-month or month, which Azure Machine Learning"),
        (ScheduleSpec("0 6 * jan *"), "cron '0 6 * jan *' restricts day-of-month or month"),
        (
            ScheduleSpec("0 6 * * 1", "Europe/Oslo"),
            "Azure Machine Learning knows UTC alone, and the clocks of Europe/Oslo",
        ),
        (ScheduleSpec(every_seconds=90), "Azure Machine Learning counts minutes, and --every is 90 s"),
    ],
)
def test_refused_in_one_line(schedule: ScheduleSpec, said: str) -> None:
    with pytest.raises(UserError) as fault:
        azureml.render(replace(CHURN, schedule=schedule))
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def test_pauses_grow() -> None:
    step = PlanStep("a", "1", "", resources=Resources(retries=2, backoff_seconds=5))
    assert "for pause in 5 10 end; do" in azureml.render(Plan("p", "p", steps=(step,)))["azureml/pipeline.yml"]
