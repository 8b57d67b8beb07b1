"""The Airflow target against Airflow itself, in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mlops_jupyter.core.plan import Parameter, Plan, Resources, Schedule, Step
from mlops_jupyter.services.export.bundle import write
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.spelling import croniter as croniter_dialect
from mlops_jupyter.services.export.targets import airflow
from mlops_jupyter.services.schedule import clock
from tests.services.export.recorded import export

ROOT = Path(__file__).parents[2]
ENGINES = ROOT / ".venvs" / "engines" / "bin"

TEXT = 'who\'s "leaving"?\n{{ ds }} {% raw %} $(exit 3) `x` @@STEPS@@ région'

PLAN = Plan(
    name='Mini "{{ ds }}"',
    package="mini",
    steps=(
        Step("load", "1", "", outputs=(("rows",), ("~random",)), parameters=("count",)),
        Step("dag", "2", "", inputs={"rows": "load"}, outputs=(("total",),), resources=Resources(retries=2)),
        Step(
            "task",
            "3",
            "",
            inputs={"rows": "load"},
            outputs=(("~environ:A",),),
            resources=Resources(timeout_seconds=90.5),
        ),
        Step(
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
    schedule=Schedule("30 5 * * mon-fri", "America/New_York"),
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

TICKS = [
    ("0 6 * * 1", "UTC", "2026-02-20T00:00:00+00:00", 6),
    ("0 9 * * 7", "Europe/Oslo", "2026-03-20T00:00:00+00:00", 40),  # over both changes of the clocks
    ("*/15 8-18 * * mon-fri", "America/New_York", "2026-03-06T00:00:00+00:00", 120),
    ("30 * * * *", "Europe/Oslo", "2026-10-24T20:00:00+00:00", 10),  # the hour that comes twice
    ("5-5 6 1 * 5", "Asia/Kolkata", "2026-01-01T00:00:00+00:00", 12),  # day of month or of week
    ("0 0 1-31 * 1", "Australia/Lord_Howe", "2026-01-01T00:00:00+00:00", 12),
    ("@yearly", "UTC", "2026-01-02T00:00:00+00:00", 2),
    ("0 12 29 2 *", "UTC", "2026-01-01T00:00:00+00:00", 2),
]


# At a time that a change of the clocks skips or repeats, both fire once, Airflow an hour later: its tick, the clock's.
PARTING = [
    (
        "30 2 * * *",
        "Europe/Oslo",
        "2026-03-28T12:00:00+00:00",
        "2026-03-29T01:30:00+00:00",
        "2026-03-29T01:00:00+00:00",
    ),
    (
        "30 2 * * *",
        "Europe/Oslo",
        "2026-10-24T12:00:00+00:00",
        "2026-10-25T01:30:00+00:00",
        "2026-10-25T00:30:00+00:00",
    ),
]


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
    done = subprocess.run(command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240)
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
        replace(PLAN, package="late", schedule=Schedule("@daily", "Europe/Oslo", catchup=True, start="2026-11-01")),
        replace(PLAN, package="übung", name="Ünïcode.md", schedule=None),
    ):
        for path, text in airflow.render(other).items():
            (folder / path).write_text(text, encoding="utf-8")
    rows = [*TICKS, *((cron, zone, start, 1) for cron, zone, start, *_ in PARTING)]
    ticks = [(croniter_dialect.spelled(cron, "Airflow"), zone, start, str(n)) for cron, zone, start, n in rows]
    probe = [str(ENGINES / "python"), str(Path(__file__).with_name("airflow_probe.py"))]
    command = [*probe, str(folder / "dags"), json.dumps(ticks), str(folder / "answer.json")]
    airflows(command, environment(folder, folder / "dags", PROBE_FOLDER=str(folder)), folder)
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    return answer


def test_airflow_loads_all_of_them(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert set(loaded["dags"]) == {"mini", "bare", "late", "übung"}


def test_the_dag_is_the_plan(loaded: dict[str, Any]) -> None:
    dag = loaded["dags"]["mini"]
    assert dag["title"] == PLAN.name
    assert (dag["cron"], dag["timezone"]) == ("30 5 * * mon-fri", "America/New_York")
    assert (dag["catchup"], dag["start"], dag["max_active_runs"]) == (False, None, 1)
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
    assert (bare["cron"], bare["params"], list(bare["tasks"])) == (None, {}, ["load"])
    assert (late["cron"], late["timezone"], late["catchup"]) == ("0 0 * * *", "Europe/Oslo", True)
    assert datetime.fromisoformat(late["start"]) == datetime.fromisoformat("2026-11-01T00:00:00+01:00")


@pytest.mark.parametrize("row", range(len(TICKS)), ids=[f"{cron} {zone}" for cron, zone, *_ in TICKS])
def test_fires_when_the_clock_says(loaded: dict[str, Any], row: int) -> None:
    cron, zone, start, count = TICKS[row]
    ours = clock.next_times(cron, zone, datetime.fromisoformat(start), count)
    assert utc(loaded["ticks"][row]) == [tick.astimezone(UTC) for tick in ours]


@pytest.mark.parametrize("row", range(len(PARTING)))
def test_where_airflow_parts_from_the_clock(loaded: dict[str, Any], row: int) -> None:
    """Airflow's own doing, that its target's text tells: if this fails, Airflow has mended it, and the text can go."""
    cron, zone, start, airflows_tick, our_tick = PARTING[row]
    assert utc(loaded["ticks"][len(TICKS) + row]) == utc([airflows_tick])
    ours = clock.next_times(cron, zone, datetime.fromisoformat(start), 1)
    assert [tick.astimezone(UTC) for tick in ours] == utc([our_tick])


def utc(texts: list[str]) -> list[datetime]:
    return [datetime.fromisoformat(text).astimezone(UTC) for text in texts]


def test_a_failing_step_fails_its_task(loaded: dict[str, Any]) -> None:
    assert loaded["run"]["failed"] == "step 'fail' ended with exit code 1; what it printed is above"


def test_the_command_of_a_task(loaded: dict[str, Any]) -> None:
    *words, store, _, run, _, data, _, text = loaded["run"]["called"]
    assert words == ["step", "fail", "--store"] and store.endswith("/out")
    assert (run, data) == (loaded["run"]["name"], "/data/it's new")
    assert text == 'text="it\'s {{ ds }}"'


def test_a_step_out_of_time_is_stopped(loaded: dict[str, Any]) -> None:
    assert 3 <= loaded["run"]["timed out"] < 15
    with pytest.raises(ProcessLookupError):
        os.kill(loaded["run"]["sleeper"], 0)


def test_run_ids_become_file_names(loaded: dict[str, Any]) -> None:
    assert loaded["run"]["name"] == "manual-2026-11-21T06-00-00-00-00-x-5989c7f8"


STEPS = {
    "load": "import random\n\n\ndef load(count):\n    random.seed(7)\n    return list(range(count))\n",
    "dag": "def dag(rows):\n    return sum(rows)\n",
    "task": "def task(rows):\n    rows.append(99)  # another process: what `dag` takes stays as it was\n",
    "report": """
import os
import random
import sys


def report(total, text, count):
    settings = sorted(name for name in os.environ if name.startswith("AIRFLOW"))
    return {"text": text, "count": count, "python": sys.executable, "settings": settings, "drawn": random.random()}
""",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's folder, with its database made."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    airflows([str(ENGINES / "airflow"), "db", "migrate"], environment(home, home / "dags"), home)
    return home


def test_airflow_runs_the_bundle(tmp_path: Path, home: Path) -> None:
    """`airflow dags test` of a whole bundle, its DAG file linked into Airflow's folder, a parameter set for the run."""
    plan = replace(
        PLAN,
        steps=tuple(replace(step, module=STEPS[step.name]) for step in PLAN.steps),
        outputs={"total": "dag", "said": "report"},
    )
    write(render(plan, [airflow]), tmp_path / "bundle")
    (home / "dags" / "mini.py").symlink_to(tmp_path / "bundle" / "dags" / "mini.py")
    env = environment(home, home / "dags", AIRFLOW_VAR_MINI_STORE=str(tmp_path / "a store"))
    airflows([str(ENGINES / "airflow"), "dags", "test", "mini", "--conf", '{"count": 5}'], env, tmp_path)
    assert not (tmp_path / "bundle" / "out").exists()
    (index,) = (tmp_path / "a store").glob("*/outputs/outputs.json")
    values = {
        entry["name"]: json.loads((index.parent / entry["file"]).read_text())
        for entry in json.loads(index.read_text())["outputs"]
    }
    said = values["said"]
    assert values["total"] == 0 + 1 + 2 + 3 + 4
    assert (said["text"], said["count"], said["settings"]) == (TEXT, 5, [])
    assert said["drawn"] == Random(7).random()  # the state that `load` left went with it
    assert Path(said["python"]).resolve() == (ENGINES / "python").resolve()  # the bundle has no .venv


def test_a_notebook_gives_its_values_on_airflow(tmp_path: Path, home: Path) -> None:
    """From the cells to the DAG's run: in-place changes, an unseeded draw and a file, one step a section."""
    Path(tmp_path, "days.csv").write_text("day,rain\n1,0\n2,3.5\n3,\n")
    cells = [
        ("# Load", "import numpy as np\nimport pandas as pd\n\ndays = pd.read_csv('days.csv')"),
        ("# Clean", "days['rain'] = days['rain'].fillna(0.0)"),
        ("# Shake", "noise = np.random.rand(len(days))"),
        ("# Sum up", "total = float((days['rain'] + noise).sum())"),
    ]
    answer = export(tmp_path, cells, ["days", "total"], targets=["airflow"], name="rain")
    assert answer.get("steps") == ["load", "clean", "shake", "sum_up"], answer
    bundle, store = tmp_path / "out", tmp_path / "store"
    (home / "dags" / "rain.py").symlink_to(bundle / "dags" / "rain.py")
    env = environment(home, home / "dags", AIRFLOW_VAR_RAIN_STORE=str(store), AIRFLOW_VAR_RAIN_PYTHON=sys.executable)
    airflows([str(ENGINES / "airflow"), "dags", "test", "rain"], env, tmp_path)
    (index,) = store.glob("*/outputs/outputs.json")
    run = json.loads(index.read_text())["run"]
    command = [sys.executable, "-m", "rain", "check", "--store", str(store), "--run", run, "--json"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(bundle / "src")}, stdout=subprocess.PIPE)
    assert json.loads(done.stdout)["status"] == "identical", done.stdout.decode()
