"""The pipeline `churn` on Airflow 3: a task for each step, run by the pipeline's own interpreter.

Airflow Variables, or `AIRFLOW_VAR_...` in the environment, say where; none is needed while this file is in its bundle:

* `churn_home`: the bundle's folder; without it, the one above this file's.
* `churn_python`: an interpreter with the packages of requirements.lock; without it, the one of the bundle's `.venv`,
  and if there is none, Airflow's.
* `churn_store`: where runs and artifacts are kept, a folder or an fsspec address that every worker reaches; without
  it, `out` in the bundle.
* `churn_data`: a folder with newer data files under the same names; without it, the copies in the bundle.
* `churn_DATABASE_URL`: the secret `DATABASE_URL`; without it, the worker's environment variable of that name.
* `churn_ALERT_URL`: the secret `ALERT_URL`; without it, the worker's environment variable of that name.
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
from airflow.sdk.log import mask_secret

PACKAGE = "churn"


def setting(name: str) -> str | None:
    """Return the Variable of this pipeline with that name, or None."""
    return Variable.get(f"{PACKAGE}_{name}", default=None)


def command(words: list[str], run: str) -> tuple[list[str], Path, dict[str, str]]:
    """Return how `python -m churn` is called with some words for a run: command line, folder, environment."""
    home = Path(setting("home") or Path(__file__).resolve().parent.parent)
    own = home / ".venv" / "bin" / "python"
    python = setting("python") or str(own if own.exists() else sys.executable)
    print(f"run by {python}")
    store = setting("store") or str(home / "out")
    # The steps need none of the orchestrator's settings, and some of them are secret.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment["PYTHONPATH"] = str(home / "src")
    return [python, "-m", PACKAGE, *words, "--store", store, "--run", run_name(run)], home, environment


def step_words(name: str, parameters: dict[str, Any]) -> list[str]:
    """Return the words that run a step with these parameters."""
    words = ["step", name]
    if data := setting("data"):
        words += ["--data", data]
    for parameter, value in parameters.items():
        words += ["-p", f"{parameter}={json.dumps(value)}"]
    return words


def run_name(run: str) -> str:
    """Return a file name for the orchestrator's own id of a run, another for each id."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", run)[:80].strip("-")
    return f"{readable}-{hashlib.blake2b(run.encode(), digest_size=4).hexdigest()}"


def call(words: list[str], run: str, secrets: dict[str, str], timeout: float | None = None) -> None:
    """Call the pipeline's command and wait for it; fail when it fails or takes longer than `timeout` seconds."""
    line, home, environment = command(words, run)
    process = subprocess.Popen(
        line, cwd=home, env={**environment, **secrets}, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{' '.join(words[:2])}: stopped after {timeout} seconds") from None
    finally:
        stop(process)
    if code:
        raise RuntimeError(f"{' '.join(words[:2])}: ended with exit code {code}; what it printed is above")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs when its task is over: its time is up, or someone said so."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


@task
def run(step: str) -> None:
    """Run one step as `python -m churn step NAME`; fail when it fails."""
    context = get_current_context()
    call(step_words(step, dict(context["params"])), context["run_id"], revealed(["DATABASE_URL"]))


def revealed(names: list[str]) -> dict[str, str]:
    """Return secrets, each from its Variable or from the environment where there is none."""
    found = {name: setting(name) or os.environ.get(name) for name in names}
    if missing := [name for name, value in found.items() if value is None]:
        raise RuntimeError(f"no secret {', '.join(missing)}: set Variables such as {PACKAGE}_{missing[0]}")
    for value in found.values():
        mask_secret(value)
    return found


def alert(context: Any) -> None:
    """Say that a step of a run failed, to the web address that a secret holds."""
    call(["alert", "--to", "ALERT_URL"], context["run_id"], revealed(["ALERT_URL"]))


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
        "on_failure_callback": alert,
    },
    tags=["mlops_jupyter"],
)
def pipeline() -> None:
    """Join the steps by what flows between them."""
    steps = {
        "load": step("load"),
        "clean": step("clean"),
        "train": step("train", retries=2, retry_delay=timedelta(seconds=30), execution_timeout=timedelta(seconds=1800)),
        "report": step("report", retries=1),
    }
    steps["load"] >> [steps["clean"], steps["train"]]
    steps["clean"] >> [steps["train"], steps["report"]]
    steps["train"] >> steps["report"]


pipeline()
