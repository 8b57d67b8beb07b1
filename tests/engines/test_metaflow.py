"""The Metaflow target against Metaflow: flows as it reads them, checked and run by it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.bundle.create import write
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.targets import metaflow
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines import robfig
from tests.engines.demos import DIAMOND, EACH, ROOT, Demo, bundle, engine, proven
from tests.engines.failing import FAILING
from tests.engines.ticks import TICKS, count, without_years
from tests.receiver import Receiver

PROBE = ROOT / "tests" / "engines" / "metaflow_probe.py"


def metaflows(*command: str | Path, cwd: Path, code: int = 0, **more: str) -> str:
    home = cwd / "metaflow"
    settings = {"USERNAME": "tester", "METAFLOW_HOME": str(home), "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(home)}
    return engine("python", *command, cwd=cwd, code=code, **settings, **more)


def wide() -> Plan:
    """Splits in a row, a step between two of them, an edge over a level, and names that mean something to Metaflow."""
    edges = {
        "next": (), "retry": (), "日本": (), "start": ("next",), "join_1": ("next", "retry"), "end": ("start", "next"),
        "left": ("end",), "right": ("end",),
    }  # fmt: skip
    names = ("int", "name", "max_workers", "step", "run_id", "日本_")
    return Plan(
        "wide",
        "wide",
        steps=tuple(PlanStep(name, "1", "", inputs=dict(zip("abc", ups, strict=False))) for name, ups in edges.items()),
        parameters=tuple(Parameter(name, 1) for name in names),
    )


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Metaflow understood of several flows, in one process of it."""
    folder = tmp_path_factory.mktemp("read")
    plans = {"churn": CHURN, "plain": Plan("p", "p", steps=CHURN.steps[:1]), "wide": wide()}
    plans |= {f"hostile{i}": replace(CHURN, parameters=(Parameter("text", text),)) for i, text in enumerate(HOSTILE)}
    for name, plan in plans.items():
        (folder / name).mkdir()
        (folder / name / "flow.py").write_text(metaflow.render(plan)["flow.py"], encoding="utf-8")
    said = metaflows(PROBE, *(folder / name / "flow.py" for name in plans), cwd=folder)
    answer = json.loads(said.splitlines()[-1])
    return {"taken": answer["taken"], **{Path(path).parent.name: flow for path, flow in answer["flows"].items()}}


@pytest.mark.ran("metaflow")
def test_the_flow_is_the_plan(read: dict[str, Any]) -> None:
    flow = read["churn"]
    assert flow["name"] == "ChurnFlow"
    assert flow["next"] == {
        "start": ["load"],
        "load": ["clean"],
        "clean": ["train"],
        "train": ["report"],
        "report": ["end"],
        "end": [],
    }
    assert flow["decorators"]["train"] == {
        "retry": {"times": 2, "minutes_between_retries": 1},
        "timeout": {"seconds": 1800},
        "resources": {"cpu": 2, "memory": 1074, "gpu": 1},
    }
    assert flow["decorators"]["report"] == {"retry": {"times": 1}}
    assert flow["decorators"]["load"] == {}
    assert flow["hooks"] == ["alert"]
    (schedule,) = flow["schedule"]
    assert (schedule["cron"], schedule["timezone"]) == ("0 6 ? * MON *", "Europe/Oslo")


@pytest.mark.ran("metaflow")
def test_parameters_keep_value_and_type(read: dict[str, Any]) -> None:
    kinds = {"n_estimators": "int", "threshold": "float", "label": "str", "verbose": "bool"}
    for parameter in CHURN.parameters:
        default, kind = read["churn"]["parameters"][parameter.name]
        assert kind == kinds.get(parameter.name, "JSON") or "JSON" in kind
        assert (json.loads(default) if parameter.name not in kinds else default) == parameter.default


@pytest.mark.ran("metaflow")
def test_what_splits_is_joined(read: dict[str, Any]) -> None:
    flow = read["wide"]
    assert flow["next"] == {
        "start": ["next_step", "retry_step", "x_4cb764"],
        "next_step": ["join_2"],
        "retry_step": ["join_2"],
        "x_4cb764": ["join_2"],
        "join_2": ["fork_1"],
        "fork_1": ["start_step", "join_1"],
        "start_step": ["join_3"],
        "join_1": ["join_3"],
        "join_3": ["end_step"],
        "end_step": ["left", "right"],
        "left": ["join_4"],
        "right": ["join_4"],
        "join_4": ["end"],
        "end": [],
    }
    assert flow["joins"] == ["join_2", "join_3", "join_4"]
    assert {"int_parameter", "name_parameter", "max_workers_parameter", "run_id_parameter"} < set(flow["parameters"])
    assert read["plain"]["next"] == {"start": ["load"], "load": ["end"], "end": []}


@pytest.mark.ran("metaflow")
@pytest.mark.parametrize("plan", [CHURN, wide()], ids=lambda plan: plan.package)
def test_metaflows_own_check(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(metaflow.render(plan)["flow.py"], encoding="utf-8")
    assert "The graph looks good!" in metaflows("flow.py", "--no-pylint", "check", cwd=tmp_path)


@pytest.mark.ran("metaflow")
def test_names_of_metaflow_are_taken(read: dict[str, Any]) -> None:
    assert set(read["taken"]) <= metaflow.TAKEN


@pytest.mark.ran("metaflow")
@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=[ascii(text)[:30] for text in HOSTILE])
def test_no_value_breaks_out(read: dict[str, Any], number: int) -> None:
    assert read[f"hostile{number}"]["parameters"] == {"text": [HOSTILE[number], "str"]}


@pytest.mark.ran("metaflow")
@pytest.mark.parametrize("demo", EACH)
def test_a_run_gives_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "metaflow")
    metaflows("flow.py", "run", cwd=laid)
    run = proven(laid, laid / "out", demo)
    assert sorted(path.stem for path in (laid / "out" / run / "steps").iterdir()) == sorted(demo.steps)


@pytest.mark.ran("metaflow")
def test_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "metaflow")
    given = [word for name, value in DIAMOND.given.items() for word in (f"--{name}", str(value))]
    metaflows("flow.py", "run", *given, cwd=laid, PIPELINE_STORE=str(tmp_path / "a store"))
    proven(laid, tmp_path / "a store", DIAMOND, then=True)


@pytest.mark.ran("metaflow")
def test_a_failure_is_tried_again_then_told(tmp_path: Path) -> None:
    write(render(FAILING, [metaflow]), tmp_path / "mini")
    with Receiver() as receiver:
        metaflows("flow.py", "run", cwd=tmp_path / "mini", code=1, ALERT_URL=receiver.url)
    assert [(told["pipeline"], told["status"]) for told in receiver.bodies] == [("Mini", "failed")]
    (tried,) = (tmp_path / "mini" / "out").glob("**/tried")
    assert tried.read_text() == "xxx"


@pytest.mark.parametrize(("cron", "zone", "start"), TICKS, ids=[f"{cron} {zone}" for cron, zone, _ in TICKS])
def test_fires_when_the_clock_says(cron: str, zone: str, start: str) -> None:
    plan = replace(CHURN, schedule=ScheduleSpec(cron, zone))
    if cron == "5-5 6 1 * 5":
        with pytest.raises(UserError, match="Metaflow 2 takes day-of-month or day-of-week"):
            metaflow.render(plan)
        return
    (line,) = [line for line in metaflow.render(plan)["flow.py"].splitlines() if line.startswith("@schedule")]
    words = line.split('"')
    numbers = without_years(words[1])
    begin, place = datetime.fromisoformat(start), words[3] if len(words) > 3 else "UTC"
    ours = next_times(cron, zone, begin, count(cron))
    assert robfig.next_times(numbers, place, begin, count(cron)) == [tick.astimezone(UTC) for tick in ours]


def test_too_many_retries_are_refused() -> None:
    steps = (PlanStep("load", "1", "", resources=Resources(retries=5)),)
    with pytest.raises(UserError, match="step 'load' is to be tried again 5 times, and Metaflow 2 does so 4 times"):
        metaflow.render(replace(CHURN, steps=steps))
