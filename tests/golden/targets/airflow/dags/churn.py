"""The pipeline `churn` on Airflow 3: a task for each step, run by the pipeline's own interpreter.

Airflow Variables, or `AIRFLOW_VAR_...` in the environment, say where; none is needed while this file is in its bundle:

* `churn_home`: the bundle's folder; without it, the one above this file's.
* `churn_python`: an interpreter with the packages of requirements.lock; without it, the one of the bundle's `.venv`,
  and if there is none, Airflow's.
* `churn_store`: where runs and artifacts are kept, a folder or an fsspec address that every worker reaches; without
  it, `out` in the bundle.
* `churn_data`: a folder with newer data files under the same names; without it, the copies in the bundle.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, Variable, dag, get_current_context, task

PACKAGE = "churn"


@task
def run(step: str) -> None:
    """Run one step as `python -m churn step NAME`; fail when it fails."""
    context = get_current_context()
    home = Path(setting("home") or Path(__file__).resolve().parent.parent)
    store = setting("store") or str(home / "out")
    command = [interpreter(home), "-m", PACKAGE, "step", step, "--store", store, "--run", run_name(context["run_id"])]
    if data := setting("data"):
        command += ["--data", data]
    for name, value in context["params"].items():
        command += ["-p", f"{name}={json.dumps(value)}"]
    # The step needs none of Airflow's settings, and some of them are secret.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment["PYTHONPATH"] = str(home / "src")
    process = subprocess.Popen(command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        code = process.wait()
    finally:
        stop(process)
    if code:
        raise RuntimeError(f"step {step!r} ended with exit code {code}; what it printed is above")


def setting(name: str) -> str | None:
    """Return the Variable of this pipeline with that name, or None."""
    return Variable.get(f"{PACKAGE}_{name}", default=None)


def interpreter(home: Path) -> str:
    """Return the Python that runs the steps, and say which."""
    own = home / ".venv" / "bin" / "python"
    found = setting("python") or str(own if own.exists() else sys.executable)
    print(f"steps are run by {found}")
    return found


def run_name(run_id: str) -> str:
    """Return a file name for Airflow's run id, its own for each id."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", run_id)[:80].strip("-")
    return f"{readable}-{hashlib.blake2b(run_id.encode(), digest_size=4).hexdigest()}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a step that still runs when Airflow stops its task: its time is up, or someone said so."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def step(name: str, **settings: Any) -> Any:
    """Return the task of a step."""
    return run.override(task_id=name, **settings)(name)


@dag(
    dag_id=PACKAGE,
    dag_display_name="Churn, monthly",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 * * 1", timezone="Europe/Oslo"),
    catchup=False,
    max_active_runs=1,
    params={
        "n_estimators": Param(200, type="integer"),
        "threshold": Param(0.5, type="number"),
        "label": Param('who\'s "leaving"?\n{{ ds }} $(rm -rf ~) `x` {% raw %} @@STEPS@@', type="string"),
        "verbose": Param(False, type="boolean"),
        "columns": Param(["age", "région"], type="array"),
        "grid": Param({"depth": [3, None]}, type="object"),
        "limit": Param(None, type=["null", "boolean", "integer", "number", "string", "array", "object"]),
    },
    default_args={
        "retries": 0,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
    },
    tags=["mlops_jupyter"],
)
def pipeline() -> None:
    """Join the steps by what flows between them."""
    steps = {
        "load": step("load"),
        "clean": step("clean"),
        "train": step("train", retries=2, execution_timeout=timedelta(seconds=1800)),
        "report": step("report", retries=1),
    }
    steps["load"] >> [steps["clean"], steps["train"]]
    steps["clean"] >> [steps["train"], steps["report"]]
    steps["train"] >> steps["report"]


pipeline()
