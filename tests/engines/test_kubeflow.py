"""The Kubeflow target against kfp: its files parsed strictly, and run as they lie by its local runner."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.bundle.create import write
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.targets import kubeflow
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines import robfig
from tests.engines.demos import DEMOS, DIAMOND, ROOT, Demo, bundle, engine, proven
from tests.engines.failing import FAILING
from tests.engines.ticks import TICKS, count
from tests.receiver import Receiver

PROBE = ROOT / "tests" / "engines" / "kubeflow_probe.py"


def lay(folder: Path, **plans: Plan) -> dict[str, Path]:
    """Write the pipelines of plans, each in a folder of its own; return where."""
    found = {}
    for name, plan in plans.items():
        found[name] = folder / name / f"{plan.package}.yaml"
        found[name].parent.mkdir()
        found[name].write_text(kubeflow.render(plan)[f"kubeflow/{plan.package}.yaml"], encoding="utf-8")
    return found


def understood(folder: Path, **plans: Plan) -> dict[str, Any]:
    files = lay(folder, **plans)
    said = engine("python", PROBE, "read", *files.values(), cwd=folder)
    answer = json.loads(said.splitlines()[-1])
    return {name: answer[str(path)] for name, path in files.items()}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What kfp understood of CHURN and of plans at the edges."""
    step = CHURN.steps[0]
    many = tuple(PlanStep(f"step_{i}", "1", "", inputs={"x": f"step_{i - 1}"} if i else {}) for i in range(300))
    return understood(
        tmp_path_factory.mktemp("read"),
        churn=CHURN,
        plain=Plan("p", "p", steps=(step,)),
        many=Plan("many", "many", steps=many),
        named=Plan(
            "n",
            "Übung_1",
            steps=(step, replace(step, name="Load"), replace(step, name="日本"), replace(step, name="a_b")),
        ),
        **{f"hostile{i}": hostile(text) for i, text in enumerate(HOSTILE)},
    )


def hostile(text: str) -> Plan:
    return replace(
        CHURN,
        name=text,
        parameters=(Parameter("text", text), Parameter("listed", [text]), Parameter("mapped", {text: {"a": text}})),
    )


@pytest.mark.validated("kubeflow")
def test_edges_retries_and_resources_as_kfp_reads_them(read: dict[str, Any]) -> None:
    spec = read["churn"]
    tasks = spec["components"]["comp-pipeline"]["dag"]["tasks"]
    assert {name: task.get("dependentTasks", []) for name, task in tasks.items()} == {
        "load": [],
        "clean": ["load"],
        "train": ["clean", "load"],
        "report": ["clean", "train"],
    }
    assert tasks["train"]["retryPolicy"] == {
        "maxRetryCount": 2,
        "backoffDuration": "30s",
        "backoffFactor": 2.0,
        "backoffMaxDuration": "86400s",
    }
    assert tasks["report"]["retryPolicy"]["maxRetryCount"] == 1
    assert "retryPolicy" not in tasks["load"]
    assert all(task["cachingOptions"] == {} for task in tasks.values())
    wishes = spec["deploymentSpec"]["executors"]["exec-train"]["container"]["resources"]
    assert (wishes["cpuLimit"], wishes["resourceMemoryLimit"]) == (2.0, str(1 << 30))
    assert wishes["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert wishes["accelerator"]["resourceCount"] == "1"


@pytest.mark.validated("kubeflow")
def test_parameters_with_their_types(read: dict[str, Any]) -> None:
    inputs = read["churn"]["root"]["inputDefinitions"]["parameters"]
    found = {name: (facts["parameterType"], facts.get("defaultValue")) for name, facts in inputs.items()}
    values = {p.name: p.default for p in CHURN.parameters}
    assert found == {
        "n_estimators": ("NUMBER_INTEGER", 200),
        "threshold": ("NUMBER_DOUBLE", 0.5),
        "label": ("STRING", values["label"]),
        "verbose": ("BOOLEAN", False),
        "columns": ("LIST", values["columns"]),
        "grid": ("STRUCT", values["grid"]),
        "limit": ("STRING", "null"),
        "store-uri": ("STRING", "/store"),
        "data-folder": ("STRING", ""),
    }


@pytest.mark.validated("kubeflow")
def test_secrets_and_timeouts_are_for_kubernetes(tmp_path: Path) -> None:
    (file,) = lay(tmp_path, churn=CHURN).values()
    _, platform = yaml.safe_load_all(file.read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert {name: e.get("activeDeadlineSeconds") for name, e in executors.items()} == {
        "exec-load": None,
        "exec-clean": None,
        "exec-train": "1800",
        "exec-report": None,
        "exec-alert": None,
    }
    for executor in executors.values():
        (secret,) = executor["secretAsEnv"]
        assert secret["secretName"] == "churn"
        assert [pair["envVar"] for pair in secret["keyToEnv"]] == ["DATABASE_URL", "ALERT_URL"]


@pytest.mark.validated("kubeflow")
@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=[ascii(text)[:30] for text in HOSTILE])
def test_no_value_breaks_out(read: dict[str, Any], number: int) -> None:
    text, spec = HOSTILE[number], read[f"hostile{number}"]
    inputs = spec["root"]["inputDefinitions"]["parameters"]
    if "\ud800" in text:  # half a character is nothing that Kubeflow could hold
        assert set(inputs) == {"store-uri", "data-folder"}
        assert "`text`, `listed`, `mapped`" in kubeflow.deploy(hostile(text))
    else:
        assert inputs["text"]["defaultValue"] == text
        assert inputs["listed"]["defaultValue"] == [text]
        assert inputs["mapped"]["defaultValue"] == {text: {"a": text}}
    assert set(spec["components"]) == set(read["churn"]["components"])


@pytest.mark.validated("kubeflow")
def test_names_are_mapped_each_to_its_own(read: dict[str, Any]) -> None:
    tasks = read["named"]["root"]["dag"]["tasks"]
    assert len(tasks) == 4
    assert {"load", "a-b"} < set(tasks)
    assert len(read["many"]["root"]["dag"]["tasks"]) == 300
    assert read["named"]["pipelineInfo"]["name"].startswith("ubung-1-")


@pytest.mark.parametrize("default", [float("nan"), [float("inf")], {1: "a"}, 2**53 + 1, {"a": [2**60]}, "{{$.x}}"])
def test_a_default_that_kubeflow_cannot_hold_is_left_to_the_pipeline(default: object) -> None:
    plan = replace(CHURN, parameters=(Parameter("odd", default), Parameter("even", 2)))
    spec = yaml.safe_load(kubeflow.render(plan)["kubeflow/churn.yaml"].split("\n---\n")[0])
    assert set(spec["root"]["inputDefinitions"]["parameters"]) == {"even", "store-uri", "data-folder"}
    assert "cannot hold them: `odd`." in kubeflow.deploy(plan)


@pytest.mark.ran("kubeflow")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_local_runner_gives_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "kubeflow")
    runs(laid, f"kubeflow/{demo.name}.yaml", {"store-uri": "out"})
    run = proven(laid, laid / "out", demo)
    assert sorted(path.stem for path in (laid / "out" / run / "steps").iterdir()) == sorted(demo.steps)


@pytest.mark.ran("kubeflow")
def test_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "kubeflow")
    runs(laid, "kubeflow/diamond.yaml", {"store-uri": str(tmp_path / "a store"), **DIAMOND.given})
    proven(laid, tmp_path / "a store", DIAMOND, then=True)


def runs(laid: Path, file: str, arguments: dict[str, Any], code: int = 0, **env: str) -> str:
    return engine("python", PROBE, "run", file, json.dumps(arguments), cwd=laid, code=code, **env)


@pytest.mark.ran("kubeflow")
@pytest.mark.parametrize("fails", [True, False])
def test_a_failure_is_tried_again_then_told(tmp_path: Path, fails: bool) -> None:
    plan = FAILING if fails else replace(FAILING, steps=FAILING.steps[:1], outputs={"a": "first"})
    write(render(plan, [kubeflow]), tmp_path / "mini")
    with Receiver() as receiver:
        runs(tmp_path / "mini", "kubeflow/mini.yaml", {"store-uri": "out"}, code=int(fails), ALERT_URL=receiver.url)
    assert [(told["pipeline"], told["status"]) for told in receiver.bodies] == [("Mini", "failed")] * fails
    if fails:
        (tried,) = (tmp_path / "mini" / "out").glob("**/tried")
        assert tried.read_text() == "xxx"


@pytest.mark.parametrize(
    ("schedule", "command"),
    [
        (ScheduleSpec("0 6 * * mon"), "--cron-expression '0 0 6 * * 1' --enabled --max-concurrency 1 --no-catchup"),
        (ScheduleSpec("0 6 * * 7", "Asia/Kolkata"), "--cron-expression '0 30 0 * * 0' --enabled"),
        (ScheduleSpec("@daily", catchup=True, start="2026-01-31", concurrency=3),
         "'0 0 0 * * *' --enabled --max-concurrency 3 --catchup --start-time 2026-01-31T00:00:00Z"),
        (ScheduleSpec(every_seconds=3600), "--interval-second 3600 --enabled --max-concurrency 1 --no-catchup"),
    ],
    ids=str,
)  # fmt: skip
def test_the_command_of_a_recurring_run(schedule: ScheduleSpec, command: str) -> None:
    text = kubeflow.deploy(replace(CHURN, schedule=schedule))
    assert command in text
    assert "CRON_SCHEDULE_TIMEZONE" not in text


def test_a_zone_whose_clocks_change_needs_kubeflows_clock() -> None:
    assert "CRON_SCHEDULE_TIMEZONE=Europe/Oslo\n" in kubeflow.deploy(CHURN)
    with pytest.raises(UserError, match=r"fires at 02:30 on .* and Kubeflow Pipelines 2 would not do as crontab"):
        kubeflow.render(replace(CHURN, schedule=ScheduleSpec("30 2 * * *", "Europe/Oslo")))


@pytest.mark.parametrize(("cron", "zone", "start"), TICKS, ids=[f"{cron} {zone}" for cron, zone, _ in TICKS])
def test_fires_when_the_clock_says(cron: str, zone: str, start: str) -> None:
    seconds_first, place = kubeflow.clock(ScheduleSpec(cron, zone))
    assert seconds_first.startswith("0 ")
    begin = datetime.fromisoformat(start)
    ours = next_times(cron, zone, begin, count(cron))
    assert robfig.next_times(seconds_first[2:], place, begin, count(cron)) == [tick.astimezone(UTC) for tick in ours]
