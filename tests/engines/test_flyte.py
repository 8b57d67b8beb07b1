"""The Flyte target against flytekit: workflows as it reads them, packaged and run by pyflyte."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.bundle.create import write
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.targets import flyte
from tests.contracts.test_targets import HOSTILE, churn
from tests.engines import robfig
from tests.engines.demos import DIAMOND, EACH, ROOT, Demo, bundle, engine, proven
from tests.engines.failing import FAILING
from tests.engines.ticks import TICKS, count
from tests.receiver import Receiver

PROBE = ROOT / "tests" / "engines" / "flyte_probe.py"
CHURN = churn(flyte)

NAMED = Plan(
    "Named",
    "json",
    steps=(
        PlanStep("sys", "1", ""),
        PlanStep("Load", "1", ""),
        PlanStep("日本", "1", ""),
        PlanStep("json_workflow", "1", ""),
    ),
    parameters=tuple(Parameter(name, 1) for name in ("C", "c", "Load", "store", "locals", "größe")),
    schedule=ScheduleSpec(every_seconds=7200),
)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What flytekit understood of several files, in one process of it."""
    folder = tmp_path_factory.mktemp("read")
    plans = {"churn": CHURN, "plain": Plan("p", "p", steps=CHURN.steps[:1]), "named": NAMED}
    plans |= {f"hostile{i}": hostile(text) for i, text in enumerate(HOSTILE)}
    files = []
    for name, plan in plans.items():
        for path, text in flyte.render(plan).items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text, encoding="utf-8")
        files.append(folder / name / "workflows" / f"{plan.package}.py")
    said = engine("python", PROBE, "read", *files, cwd=folder)
    answer = json.loads(said.splitlines()[-1])
    return {Path(path).parents[1].name: found for path, found in answer.items()}


def hostile(text: str) -> Plan:
    return replace(CHURN, name=text, parameters=(Parameter("text", text), Parameter("listed", [text])))


@pytest.mark.ran("flyte")
def test_the_workflow_is_the_plan(read: dict[str, Any]) -> None:
    found = read["churn"]
    assert found["after"] == {
        "load": [],
        "clean": ["load"],
        "train": ["clean", "load"],
        "report": ["clean", "train"],
    }
    assert found["retries"] == {"load": 0, "clean": 0, "train": 2, "report": 1}
    assert found["timeout"] == {"train": 1800}
    assert found["limits"] == {"train": ["2", str(1 << 30), "1"]}
    assert found["secrets"] == {step.name: ["DATABASE_URL", "ALERT_URL"] for step in CHURN.steps}
    assert (found["failure"], found["cron"]) == ("alert", ["0 6 * * 1"])


@pytest.mark.ran("flyte")
def test_inputs_keep_value_and_type(read: dict[str, Any]) -> None:
    inputs = read["churn"]["inputs"]
    for parameter in CHURN.parameters:
        kind, default = inputs[parameter.name]
        if type(parameter.default) in flyte.PLAIN:
            assert (kind, default) == (type(parameter.default).__name__, parameter.default)
        else:
            assert kind == "str"
            assert json.loads(default) == parameter.default
    assert set(inputs) == {*(p.name for p in CHURN.parameters), "store", "data"}


@pytest.mark.ran("flyte")
def test_names_are_lower_case_each_its_own(read: dict[str, Any]) -> None:
    found = read["named"]
    assert list(found["after"]) == ["sys_step", "Load", "x_4cb764", "json_workflow_step"]
    expected = ["c", "c_parameter", "load", "store_parameter", "locals_parameter", "groe_7ca131"]
    assert list(found["inputs"]) == [*expected, "store", "data"]
    assert found["rate"] == [[2, 1]]  # hours
    assert read["plain"]["cron"] == read["plain"]["rate"] == []


@pytest.mark.ran("flyte")
@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=[ascii(text)[:30] for text in HOSTILE])
def test_no_value_breaks_out(read: dict[str, Any], number: int) -> None:
    inputs = read[f"hostile{number}"]["inputs"]
    assert inputs["text"] == ["str", HOSTILE[number]]
    assert json.loads(inputs["listed"][1]) == [HOSTILE[number]]


@pytest.mark.ran("flyte")
@pytest.mark.parametrize("demo", EACH)
def test_a_run_gives_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "flyte")
    engine("pyflyte", "run", f"workflows/{demo.name}.py", demo.name, cwd=laid)
    run = proven(laid, laid / "out", demo)
    assert sorted(path.stem for path in (laid / "out" / run / "steps").iterdir()) == sorted(demo.steps)


@pytest.mark.ran("flyte")
def test_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "flyte")
    given = [word for name, value in DIAMOND.given.items() if value is not False for word in (f"--{name}", str(value))]
    words = ["workflows/diamond.py", "diamond", "--no-verbose", "--store", tmp_path / "a store", *given]
    engine("pyflyte", "run", *words, cwd=laid)
    proven(laid, tmp_path / "a store", DIAMOND, then=True)


@pytest.mark.ran("flyte")
def test_a_failure_is_told(tmp_path: Path) -> None:
    """Calling the workflow: that runs its failure handler, which `pyflyte run` on one machine does not."""
    write(render(FAILING, [flyte]), tmp_path / "mini")
    with Receiver() as receiver:
        words = ["workflows/mini.py", json.dumps({"store": "out"})]
        said = engine("python", PROBE, "call", *words, cwd=tmp_path / "mini", code=1, ALERT_URL=receiver.url)
    assert "'step again' of mini ended with exit code 1" in said
    assert [(told["pipeline"], told["status"]) for told in receiver.bodies] == [("Mini", "failed")]


@pytest.mark.validated("flyte")
@pytest.mark.parametrize("plan", [CHURN, NAMED], ids=lambda plan: plan.name)
def test_it_is_packaged_for_a_cluster(plan: Plan, tmp_path: Path) -> None:
    write(render(plan, [flyte]), tmp_path / "laid")
    words = ["--pkgs", "workflows", "package", "--image", "x/y:1", "--output", "pkg.tgz"]
    said = engine("pyflyte", *words, cwd=tmp_path / "laid")
    assert "Successfully packaged" in said
    assert "_on_time" in said


@pytest.mark.parametrize(("cron", "zone", "start"), TICKS, ids=[f"{cron} {zone}" for cron, zone, _ in TICKS])
def test_fires_when_the_clock_says(cron: str, zone: str, start: str) -> None:
    plan = replace(CHURN, schedule=ScheduleSpec(cron, zone))
    if zone in ("Europe/Oslo", "America/New_York") and cron != "30 * * * *":  # every hour goes by the time that passes
        with pytest.raises(UserError, match=f"Flyte 1 knows UTC alone, and the clocks of {zone} change"):
            flyte.render(plan)
    else:
        fields = flyte.render(plan)["workflows/churn.py"].split('CronSchedule(schedule="')[1].split('"')[0]
        begin = datetime.fromisoformat(start)
        ours = next_times(cron, zone, begin, count(cron))
        assert robfig.next_times(fields, "UTC", begin, count(cron)) == [tick.astimezone(UTC) for tick in ours]


def test_seconds_are_refused() -> None:
    with pytest.raises(UserError, match="Flyte 1 counts minutes, and --every is 90 s"):
        flyte.render(replace(CHURN, schedule=ScheduleSpec(every_seconds=90)))
