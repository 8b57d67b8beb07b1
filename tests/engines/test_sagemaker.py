"""The SageMaker target: Amazon's own SDK compiles its file, and runs the demos from it with its local executor.

That executor would have Docker start the containers; here the words of each are run on the bundle by an interpreter.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.targets import sagemaker
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines import robfig
from tests.engines.demos import CLOUDS, DIAMOND, EACH, ENGINES, ROOT, Demo, bundle, engine, proven
from tests.engines.ticks import TICKS, count, without_years

PROBE = ROOT / "tests" / "engines" / "sagemaker_probe.py"
PLANS = {
    "churn": CHURN,
    "often": replace(CHURN, schedule=ScheduleSpec(every_seconds=900)),
    "bare": Plan("p", "p", steps=(PlanStep("only", "1", ""),)),
    "names": replace(
        CHURN,
        schedule=None,
        steps=(
            PlanStep("Load", "1", ""),
            PlanStep("load", "1", "", after=("Load",)),
            PlanStep("x" * 200, "1", "", after=("load",)),
        ),
        parameters=(Parameter("größe", 3), *(Parameter(f"p{n}", text) for n, text in enumerate(HOSTILE))),
    ),
}


def probe(folder: Path, *words: str | Path) -> str:
    """Let the SDK compile files, or run one; HOME has no settings of its."""
    return engine(CLOUDS / "python", PROBE, *words, cwd=folder, HOME=str(folder))


@pytest.mark.validated("sagemaker")
def test_the_sdk_compiles_the_same(tmp_path: Path) -> None:
    for name, plan in PLANS.items():
        (tmp_path / name / "sagemaker").mkdir(parents=True)
        for path, text in sagemaker.render(plan).items():
            (tmp_path / name / path).write_text(text)
    probe(tmp_path, "check", *(tmp_path / name / "sagemaker" for name in PLANS))


@pytest.mark.validated("sagemaker")
@pytest.mark.parametrize("demo", EACH)
def test_the_sdk_runs_it_to_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "sagemaker")
    given = {"role-arn": "arn:aws:iam::012345678901:role/x", "store-uri": str(tmp_path / "a store")}
    probe(tmp_path, "run", laid / "sagemaker", laid, ENGINES / "python", json.dumps(given))
    proven(laid, tmp_path / "a store", demo)
    if demo is DIAMOND:
        given |= {name: json.dumps(value) for name, value in demo.given.items()} | {"store-uri": str(tmp_path / "then")}
        probe(tmp_path, "run", laid / "sagemaker", laid, ENGINES / "python", json.dumps(given))
        proven(laid, tmp_path / "then", demo, then=True)


def definition(plan: Plan) -> dict[str, dict[str, object]]:
    return {step["Name"]: step for step in json.loads(sagemaker.render(plan)["sagemaker/pipeline.json"])["Steps"]}


def test_the_steps_are_the_plans() -> None:
    found = definition(CHURN)
    assert {name: step.get("DependsOn", []) for name, step in found.items()} == {
        step.name: list(step.upstream) for step in CHURN.steps
    }
    assert not any(secret in json.dumps(found) for secret in CHURN.secrets)


@pytest.mark.parametrize(
    ("wishes", "machine", "seconds"),
    [
        (Resources(), "ml.m5.large", 432000),
        (Resources(cpu=3), "ml.m5.xlarge", 432000),
        (Resources(memory_bytes=40 << 30, timeout_seconds=90.5), "ml.m5.4xlarge", 91),
        (Resources(gpu=1), "ml.g4dn.xlarge", 432000),
        (Resources(gpu=2, timeout_seconds=1e7), "ml.g4dn.12xlarge", 432000),
    ],
)
def test_the_smallest_machine_that_has_it(wishes: Resources, machine: str, seconds: int) -> None:
    arguments = definition(Plan("p", "p", steps=(PlanStep("a", "1", "", resources=wishes),)))["a"]["Arguments"]
    assert isinstance(arguments, dict)
    assert arguments["ProcessingResources"]["ClusterConfig"]["InstanceType"] == machine
    assert arguments["StoppingCondition"]["MaxRuntimeInSeconds"] == seconds


@pytest.mark.parametrize(("cron", "zone", "start"), TICKS, ids=[f"{cron} {zone}" for cron, zone, _ in TICKS])
def test_fires_when_the_clock_says(cron: str, zone: str, start: str) -> None:
    plan = replace(CHURN, schedule=ScheduleSpec(cron, zone))
    if cron == "5-5 6 1 * 5":
        with pytest.raises(UserError, match="SageMaker Pipelines takes day-of-month or day-of-week"):
            sagemaker.render(plan)
        return
    found = json.loads(sagemaker.render(plan)["sagemaker/schedule.json"])
    numbers = without_years(found["ScheduleExpression"].removeprefix("cron(").removesuffix(")"))
    begin = datetime.fromisoformat(start)
    ours = next_times(cron, zone, begin, count(cron))
    theirs = robfig.next_times(numbers, found["ScheduleExpressionTimezone"], begin, count(cron))
    assert theirs == [tick.astimezone(UTC) for tick in ours]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": (PlanStep("a", "1", "", resources=Resources(gpu=9)),)}, "step 'a' asks for 0 cpu, 0 GiB and 9 gpu"),
        ({"schedule": ScheduleSpec("30 2 * * *", "Europe/Oslo")}, "cron '30 2 * * *' fires at 02:30 on 2026-03-29"),
        ({"schedule": ScheduleSpec(every_seconds=90)}, "SageMaker Pipelines counts minutes, and --every is 90 s"),
    ],
)
def test_refused_in_one_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as fault:
        sagemaker.render(replace(CHURN, **change))  # type: ignore[arg-type]
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def test_a_text_that_is_too_long_for_a_word_stays_the_pipelines_own() -> None:
    plan = replace(CHURN, parameters=(Parameter("long", "x" * 300), Parameter("short", "x")))
    names = [one["Name"] for one in json.loads(sagemaker.render(plan)["sagemaker/pipeline.json"])["Parameters"]]
    assert names == ["role-arn", "image-uri", "store-uri", "short"]
    assert "cannot hold them: `long`." in sagemaker.deploy(plan)
