"""The Airflow target against Airflow itself, in its own environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.export.targets import airflow
from tests.engines import ticks, wished
from tests.engines.demos import DIAMOND, ENGINES, FILED, LINEAR, bundle, engine, proven
from tests.engines.fired import delivered, free_port, listening, running, until
from tests.receiver import Receiver

TEXT = 'who\'s "leaving"?\n{{ ds }} {% raw %} $(exit 3) `x` @@STEPS@@ région'

PLAN = Plan(
    name='Mini "{{ ds }}"',
    package="mini",
    steps=(
        PlanStep("load", "1", "", outputs=(("rows",), ("~random",)), parameters=("count",)),
        PlanStep(
            "dag",
            "2",
            "",
            inputs={"rows": "load"},
            outputs=(("total",),),
            resources=Resources(retries=2, backoff_seconds=7),
        ),
        PlanStep(
            "task",
            "3",
            "",
            inputs={"rows": "load"},
            outputs=(("~environ:A",),),
            resources=Resources(timeout_seconds=90.5),
        ),
        PlanStep(
            "report",
            "4",
            "",
            inputs={"total": "dag", "~environ:A": "task", "~random": "load"},
            outputs=(("said",),),
            parameters=("text", "count"),
        ),
    ),
    parameters=(
        Parameter("count", 3),
        Parameter("text", TEXT),
        Parameter("rate", 0.5),
        Parameter("verbose", True),
        Parameter("columns", ["a", {"b": None}]),
        Parameter("limit", None),
        Parameter("options", {"depth": 2}),
    ),
    schedule=ScheduleSpec("30 5 * * mon-fri", "America/New_York", concurrency=2),
)

# A bundle's command, for what a task does when its step fails or takes too long.
COMMAND = """
import json, os, sys, time
from pathlib import Path

Path("called.json").write_text(json.dumps(sys.argv[1:]))
if sys.argv[2] == "fail":
    sys.exit("no such column")
Path("sleeper.pid").write_text(str(os.getpid()))
time.sleep(60)
"""


def spelled(schedule: ScheduleSpec) -> tuple[str, str]:
    """Return cron and time zone as they stand in the DAG's file."""
    text = airflow.render(replace(PLAN, schedule=schedule))["dags/mini.py"]
    cron, zone = re.findall(r'schedule=CronTriggerTimetable\("(.*)", timezone="(.*)"\)', text)[0]
    return cron, zone


CASES = ticks.cases(spelled)


def after(case: ticks.Case) -> str:
    """Return the instant from which on Airflow looks: a tick at the start itself would count."""
    return (ticks.start(case) + timedelta(seconds=1)).isoformat()


def lay(folder: Path, plan: Plan) -> Path:
    """Lay the DAG file as rendered, and beside it the small command."""
    source = folder / "src" / plan.package
    source.mkdir(parents=True)
    (source / "__init__.py").touch()
    (source / "__main__.py").write_text(COMMAND)
    for path, text in airflow.render(plan).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def environment(home: Path, dags: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # Airflow is large: compiled once, each command is seconds faster
    return kept | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        **more,
    }


def airflows(command: list[str], env: dict[str, str], cwd: Path) -> str:
    assert ENGINES.is_dir(), "Airflow is not installed here: run `make .venvs/engines/.locked`"
    done = subprocess.run(command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-8000:]
    return said


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow made of several DAG files, in one process of it."""
    folder = tmp_path_factory.mktemp("loaded")
    lay(folder, PLAN)
    for other in (
        replace(PLAN, package="bare", steps=PLAN.steps[:1], parameters=(), schedule=None),
        replace(PLAN, package="late", schedule=ScheduleSpec("@daily", "Europe/Oslo", catchup=True, start="2026-11-01")),
        replace(PLAN, package="often", schedule=ScheduleSpec(every_seconds=5400)),
        replace(PLAN, package="übung", name="Ünïcode.md", schedule=None),
    ):
        for path, text in airflow.render(other).items():
            (folder / path).write_text(text, encoding="utf-8")
    rows = [(*spelled(ScheduleSpec(*case[:2])), after(case), str(ticks.COUNT)) for case in CASES]
    probe = [str(ENGINES / "python"), str(Path(__file__).with_name("airflow_probe.py"))]
    command = [*probe, str(folder / "dags"), json.dumps(rows), str(folder / "answer.json")]
    airflows(command, environment(folder, folder / "dags", PROBE_FOLDER=str(folder)), folder)
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    return answer


def test_airflow_loads_all_of_them(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert set(loaded["dags"]) == {"mini", "bare", "late", "often", "übung"}


def test_the_dag_is_the_plan(loaded: dict[str, Any]) -> None:
    dag = loaded["dags"]["mini"]
    assert dag["title"] == PLAN.name
    assert (dag["cron"], dag["timezone"]) == ("30 5 * * 1,2,3,4,5", "America/New_York")
    assert (dag["catchup"], dag["start"], dag["max_active_runs"]) == (False, None, 2)
    assert {name: task["after"] for name, task in dag["tasks"].items()} == {
        "load": [],
        "dag": ["load"],
        "task": ["load"],
        "report": ["dag", "load", "task"],
    }
    assert [(task["retries"], task["timeout"]) for task in dag["tasks"].values()] == [
        (0, None),
        (2, None),
        (0, 90.5),
        (0, None),
    ]
    assert {task["backoff"] for task in dag["tasks"].values()} == {2.0}
    assert [task["delay"] for task in dag["tasks"].values()] == [30, 7, 30, 30]


def test_parameters_keep_value_and_type(loaded: dict[str, Any]) -> None:
    params = loaded["dags"]["mini"]["params"]
    assert {name: value for name, (value, _) in params.items()} == {p.name: p.default for p in PLAN.parameters}
    assert {name: schema["type"] for name, (_, schema) in params.items()} == {
        "count": "integer",
        "text": "string",
        "rate": "number",
        "verbose": "boolean",
        "columns": "array",
        "limit": ["null", "boolean", "integer", "number", "string", "array", "object"],
        "options": "object",
    }


def test_schedules(loaded: dict[str, Any]) -> None:
    bare, late = loaded["dags"]["bare"], loaded["dags"]["late"]
    assert loaded["dags"]["often"]["every"] == 5400
    assert (bare["cron"], bare["params"], list(bare["tasks"])) == (None, {}, ["load"])
    assert (late["cron"], late["timezone"], late["catchup"]) == ("0 0 * * *", "Europe/Oslo", True)
    assert datetime.fromisoformat(late["start"]) == datetime.fromisoformat("2026-11-01T00:00:00+01:00")


@pytest.mark.validated("airflow")
def test_fires_when_the_clock_says(loaded: dict[str, Any]) -> None:
    for case, found in zip(CASES, loaded["ticks"], strict=True):
        assert [datetime.fromisoformat(tick).astimezone(UTC).isoformat() for tick in found] == ticks.ours(case), case


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (ScheduleSpec("30 2 * * *", "Europe/Oslo"), "cron '30 2 * * *' fires at 02:30 on 2026-03-29, a time that"),
        (ScheduleSpec("0 * * * 1", "Europe/Oslo"), "cron '0 * * * 1' fires in every hour of some days, and where"),
    ],
)
def test_what_airflow_would_fire_at_another_time_is_refused(schedule: ScheduleSpec, said: str) -> None:
    with pytest.raises(UserError) as fault:
        airflow.render(replace(PLAN, schedule=schedule))
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def test_a_failing_step_fails_its_task(loaded: dict[str, Any]) -> None:
    assert loaded["run"]["failed"] == "step fail: ended with exit code 1; what it printed is above"


def test_the_command_of_a_task(loaded: dict[str, Any]) -> None:
    *words, data, _, text, _, store, _, run = loaded["run"]["called"]
    assert words == ["step", "fail", "--data"]
    assert store.endswith("/out")
    assert (run, data) == (loaded["run"]["name"], "/data/it's new")
    assert text == 'text="it\'s {{ ds }}"'


def test_a_step_out_of_time_is_stopped(loaded: dict[str, Any]) -> None:
    assert 3 <= loaded["run"]["timed out"] < 15
    with pytest.raises(ProcessLookupError):
        os.kill(loaded["run"]["sleeper"], 0)


def test_run_ids_become_file_names(loaded: dict[str, Any]) -> None:
    assert loaded["run"]["name"] == "manual-2026-11-21T06-00-00-00-00-x-5989c7f8"


def dags_test(home: Path, laid: Sequence[Path], runs: Sequence[tuple[str, Any]], **more: str) -> list[bool]:
    """Run `airflow dags test` of bundles, their DAG files linked into Airflow's folder; return which ended well."""
    (home / "dags").mkdir(exist_ok=True)
    for made in laid:
        (home / "dags" / f"{made.name}.py").symlink_to(made / "dags" / f"{made.name}.py")
    env = environment(home, home / "dags", **more)
    airflows([str(ENGINES / "airflow"), "db", "migrate"], env, home)
    probe = [str(ENGINES / "python"), str(Path(__file__).with_name("airflow_runs.py"))]
    airflows([*probe, json.dumps(runs), str(home / "answer.json")], env, home)
    ended: list[bool] = json.loads((home / "answer.json").read_text())
    return ended


@pytest.mark.ran("airflow")
def test_a_demo_gives_its_values_and_others_with_other_parameters(tmp_path: Path) -> None:
    laid = [bundle(demo, tmp_path, "airflow") for demo in (LINEAR, DIAMOND)]
    runs = [("linear", {}), ("diamond", DIAMOND.given)]
    more = {"AIRFLOW_VAR_DIAMOND_STORE": str(tmp_path / "a store")}
    assert dags_test(tmp_path, laid, runs, **more) == [True, True]
    proven(laid[0], laid[0] / "out", LINEAR)
    proven(laid[1], tmp_path / "a store", DIAMOND, then=True)


@pytest.mark.slow
@pytest.mark.ran("airflow")
@pytest.mark.timeout(900)
def test_the_other_demos_and_what_a_plan_can_ask_for(tmp_path: Path) -> None:
    """Secrets, a step that is tried again, one that fails and one whose time is up: these two are told."""
    laid = [bundle(demo, tmp_path, "airflow") for demo in (DIAMOND, FILED)]
    plan = wished.lay(tmp_path, airflow)
    runs: list[tuple[str, Any]] = [("diamond", {}), ("filed", {})]
    runs += [("wished", {"mode": mode}) for mode in ("good", "fail", "slow")]
    with Receiver() as hook:
        more = {"AIRFLOW_VAR_WISHED_TOKEN": "s3cret", "ALERT_URL": hook.url, "MARKS": str(tmp_path / "marks")}
        ended = dags_test(tmp_path, [*laid, plan], runs, **more)
    assert ended[:3] == [True, True, True]
    for made, demo in zip(laid, (DIAMOND, FILED), strict=True):
        proven(made, made / "out", demo)
    facts = {"token": "terc3s", "own": [], "mode": "good", "tries": "the second time"}
    assert wished.said(plan / "out") == [facts]
    assert wished.given(plan / "out") == 3 * [wished.DEFAULTS]
    failed, slow = hook.bodies
    assert failed["status"] == "failed"
    assert "no such column" in failed["text"]
    assert failed["pipeline"] == slow["pipeline"] == wished.WISHED.name
    assert failed["run"] != slow["run"]


@pytest.mark.slow
@pytest.mark.ran("airflow")
@pytest.mark.timeout(900)
def test_a_scheduler_fires_the_dag(tmp_path: Path) -> None:
    """The three processes of a small Airflow, and a DAG that is due every minute."""
    laid = bundle(LINEAR, tmp_path, "airflow", schedule="* * * * *")
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "linear.py").symlink_to(laid / "dags" / "linear.py")
    port = free_port()
    more = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": "not a secret, but as long as one: " + "x" * 64,
    }
    engine("airflow", "db", "migrate", cwd=tmp_path, **more)
    with running("airflow", "api-server", cwd=tmp_path, **more) as server:
        until(lambda: listening(port), server)
        with (
            running("airflow", "dag-processor", cwd=tmp_path, **more) as processor,
            running("airflow", "scheduler", cwd=tmp_path, **more) as scheduler,
        ):
            until(lambda: delivered(laid / "out", LINEAR), scheduler, processor, server)
