"""The Prefect target against Prefect itself, in its own environment."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.export.targets import prefect
from tests.engines import ticks, wished
from tests.engines.demos import DEMOS, DIAMOND, LINEAR, Demo, bundle, engine, proven
from tests.engines.fired import delivered, free_port, listening, running, until
from tests.receiver import Receiver

pytestmark = pytest.mark.slow  # its server alone takes a minute to start

SETTINGS = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def times(schedule: ScheduleSpec) -> dict[str, Any]:
    """Return the schedule as it stands in the deployment."""
    import yaml

    text = prefect.render(replace(wished.WISHED, schedule=schedule))["prefect.yaml"]
    found: dict[str, Any] = yaml.safe_load(text)["deployments"][0]["schedules"][0]
    return found


CASES = ticks.cases(times)


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Prefect made of several bundles, in one process of it."""
    folder = tmp_path_factory.mktemp("prefect")
    laid = {demo.name: bundle(demo, folder, "prefect") for demo in DEMOS}
    again = bundle(DIAMOND, folder / "again", "prefect")
    plan = wished.lay(folder, prefect, schedule=ScheduleSpec("30 5 * * mon-fri", "America/New_York", concurrency=2))
    odd = wished.lay(folder, prefect, package="übung", name="Ünïcode.md")
    file = str(plan / "flows" / "wished.py")
    with Receiver() as hook:
        common = {"ALERT_URL": hook.url, "MARKS": str(folder / "marks")}
        runs: list[tuple[str, dict[str, Any], dict[str, str]]] = [
            *((str(laid[demo.name] / "flows" / f"{demo.name}.py"), {}, {}) for demo in DEMOS),
            (str(again / "flows" / "diamond.py"), dict(DIAMOND.given), {"DIAMOND_STORE": str(folder / "elsewhere")}),
            (file, {}, {"WISHED_STORE": str(folder / "good"), **common}),
            (file, {"mode": "fail"}, {"WISHED_STORE": str(folder / "fail")}),
            (file, {"mode": "slow"}, {"WISHED_STORE": str(folder / "slow")}),
        ]
        rows = [(times(ScheduleSpec(case[0], case[1])), case) for case in CASES]
        asked = {
            "runs": runs,
            "deployments": [str(plan / "prefect.yaml"), str(odd / "prefect.yaml")],
            "ticks": [(at["cron"], at["timezone"], ticks.start(case).isoformat(), ticks.COUNT) for at, case in rows],
            "every": times(ScheduleSpec(every_seconds=5400)),
        }
        (folder / "asked.json").write_text(json.dumps(asked))
        probe = Path(__file__).with_name("prefect_probe.py")
        words = (probe, folder / "asked.json", folder / "answer.json")
        engine("python", *words, cwd=folder, PREFECT_HOME=str(folder / "home"), **SETTINGS)
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    return {**answer, "folder": folder, "laid": laid, "again": again, "posted": hook.bodies}


@pytest.mark.ran("prefect")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_a_demo_gives_its_values(probed: dict[str, Any], demo: Demo) -> None:
    run = probed["runs"][DEMOS.index(demo)]
    assert run["state"] == "Completed", run
    laid = probed["laid"][demo.name]
    assert proven(laid, laid / "out", demo).startswith(run["run"])


@pytest.mark.ran("prefect")
def test_with_other_parameters(probed: dict[str, Any]) -> None:
    assert probed["runs"][3]["state"] == "Completed", probed["runs"][3]
    proven(probed["again"], probed["folder"] / "elsewhere", DIAMOND, then=True)


@pytest.mark.ran("prefect")
def test_the_run_is_the_plan(probed: dict[str, Any]) -> None:
    tasks = probed["runs"][4]["tasks"]
    assert {name: task["after"] for name, task in tasks.items()} == {
        "load": [],
        "flaky": ["load"],
        "last": ["flaky", "load"],
    }
    assert {name: task["retries"] for name, task in tasks.items()} == {"load": 0, "flaky": 1, "last": 0}
    assert tasks["flaky"]["delays"] == [1]
    assert (probed["folder"] / "marks" / "good").exists()
    facts = {"token": "terc3s", "own": [], "mode": "good", "tries": "the second time"}
    assert wished.said(probed["folder"] / "good") == [facts]
    assert wished.given(probed["folder"] / "good") == [wished.DEFAULTS]


@pytest.mark.ran("prefect")
@pytest.mark.parametrize(("row", "state"), [(5, "Failed"), (6, "TimedOut")])
def test_a_failure_is_told(probed: dict[str, Any], row: int, state: str) -> None:
    """Whether a step failed or its time was up."""
    run, told = probed["runs"][row], probed["posted"][row - 5]
    assert run["state"] == "Failed"
    assert run["tasks"]["last"]["state"] == state
    assert told["run"].startswith(run["run"])
    assert told["pipeline"] == wished.WISHED.name
    assert told["status"] == "failed"


@pytest.mark.validated("prefect")
def test_the_deployment_is_the_plan(probed: dict[str, Any]) -> None:
    found, odd = probed["deployments"]
    assert (found["name"], found["flow"], found["title"]) == ("wished", "wished", wished.WISHED.name)
    (schedule,) = found["schedules"]
    assert (schedule["cron"], schedule["timezone"]) == ("30 5 * * 1,2,3,4,5", "America/New_York")
    assert found["concurrency"] == {"limit": 2, "collision_strategy": "ENQUEUE"}
    assert (odd["name"], odd["title"], odd["schedules"], odd["concurrency"]) == ("übung", "Ünïcode.md", [], None)
    kinds = {"mode": "string", "count": "integer", "rate": "number", "verbose": "boolean", "columns": "array"}
    kinds |= {"limit": None, "options": "object", "config": "string"}
    assert found["parameters"] == {
        p.name: [kinds[p.name], p.default] for p in wished.WISHED.parameters if p.name != "odd"
    }


@pytest.mark.validated("prefect")
def test_fires_when_the_clock_says(probed: dict[str, Any]) -> None:
    for case, found in zip(CASES, probed["ticks"], strict=True):
        assert found == ticks.ours(case), case
    every = probed["every"]
    assert {later - sooner for sooner, later in pairwise(every)} == {5400}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schedule": ScheduleSpec("0 6 1,31 * *")}, "cron '0 6 1,31 * *' fires on days 30 or 31 and on 1 or 2"),
        ({"schedule": ScheduleSpec("30 2 * * *", "Europe/Oslo")}, "cron '30 2 * * *' fires at 02:30 on 2026-03-29"),
        ({"parameters": (Parameter("_count", 1),)}, "parameter '_count' has a name that Prefect keeps for itself"),
        (
            {"steps": (PlanStep("a", "1", "", resources=Resources(retries=51)),)},
            "step 'a' asks for 51 retries: Prefect",
        ),
        ({"secrets": ("TOKEN", "token")}, "secrets that differ in case alone are one Secret block 'token' to Prefect"),
    ],
)
def test_refused_in_one_line(changes: dict[str, Any], said: str) -> None:
    plan: Plan = replace(wished.WISHED, alert="", **changes)
    with pytest.raises(UserError) as fault:
        prefect.render(plan)
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


@pytest.mark.slow
@pytest.mark.ran("prefect")
@pytest.mark.timeout(900)
def test_a_deployment_fires(tmp_path: Path) -> None:
    """A server, a work pool, a deployment that is due every minute, and a worker."""
    laid = bundle(LINEAR, tmp_path, "prefect", schedule="* * * * *")
    port = free_port()
    env = {**SETTINGS, "PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    with running("prefect", "server", "start", "--port", str(port), "--no-ui", cwd=tmp_path, **env) as server:
        until(lambda: listening(port), server)
        engine("prefect", "work-pool", "create", "pipelines", "--type", "process", cwd=laid, **env)
        engine("prefect", "--no-prompt", "deploy", "--name", "linear", "--pool", "pipelines", cwd=laid, **env)
        with running("prefect", "worker", "start", "--pool", "pipelines", cwd=tmp_path, **env) as worker:
            until(lambda: delivered(laid / "out", LINEAR), worker, server)
