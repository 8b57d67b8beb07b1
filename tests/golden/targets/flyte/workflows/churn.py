"""The pipeline `churn` on Flyte: a task for each step, run by the pipeline's own interpreter.

The environment says where; nothing has to be set while this file is in its bundle:

* PIPELINE_HOME: the bundle's folder; without it, the one above this file's.
* PIPELINE_PYTHON: an interpreter with the packages of requirements.lock; without it, the one of the bundle's `.venv`, and
  if there is none, Flyte's.
* PIPELINE_STORE: what the input `store` is where nobody gives it.
"""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from flytekit import CronSchedule, LaunchPlan, Resources, Secret, current_context, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException

PACKAGE = "churn"
HOME = Path(os.environ.get("PIPELINE_HOME") or Path(__file__).resolve().parents[1])
STORE = os.environ.get("PIPELINE_STORE") or str(HOME / "out")
STARTED = f"local-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
# Names of the pipeline's parameters -> what they are called here. Those in AS_JSON are texts that hold JSON.
PARAMETERS = {"n_estimators": "n_estimators", "threshold": "threshold", "label": "label", "verbose": "verbose", "columns": "columns", "grid": "grid", "limit": "limit"}
AS_JSON = ["columns", "grid", "limit"]
SECRETS = [
    Secret(group="churn", key="DATABASE_URL", env_var="DATABASE_URL", mount_requirement=Secret.MountType.ENV_VAR),
    Secret(group="churn", key="ALERT_URL", env_var="ALERT_URL", mount_requirement=Secret.MountType.ENV_VAR),
]


def run_step(name, inputs):
    """Run one step as `python -m churn step NAME`; fail when it fails, so that Flyte may try it again."""
    words = ["step", name, "--store", inputs["store"], "--run", run_name()]
    if inputs["data"]:
        words += ["--data", inputs["data"]]
    for parameter, called in PARAMETERS.items():
        value = inputs[called]
        words += ["-p", f"{parameter}={value if called in AS_JSON else json.dumps(value)}"]
    command(words)


def run_name():
    """Return the name of Flyte's execution; on this machine, where all have one name, that of this process."""
    found = current_context().execution_id
    return STARTED if found.name == "local" else found.name


def command(words):
    """Run the pipeline's command."""
    own = HOME / ".venv" / "bin" / "python"
    python = os.environ.get("PIPELINE_PYTHON") or str(own if own.exists() else sys.executable)
    environment = {**os.environ, "PYTHONPATH": str(HOME / "src")}
    process = subprocess.Popen([python, "-m", PACKAGE, *words], cwd=HOME, env=environment, stdin=subprocess.DEVNULL)
    try:
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
    if code:
        raise FlyteRecoverableException(f"{' '.join(words[:2])!r} of {PACKAGE} ended with exit code {code}")


@task(secret_requests=SECRETS)
def load(n_estimators: int, threshold: float, label: str, verbose: bool, columns: str, grid: str, limit: str, store: str, data: str) -> None:
    run_step("load", locals())


@task(secret_requests=SECRETS)
def clean(n_estimators: int, threshold: float, label: str, verbose: bool, columns: str, grid: str, limit: str, store: str, data: str) -> None:
    run_step("clean", locals())


@task(secret_requests=SECRETS, retries=2, timeout=timedelta(seconds=1800), requests=Resources(cpu="2", mem="1073741824", gpu="1"), limits=Resources(cpu="2", mem="1073741824", gpu="1"))
def train(n_estimators: int, threshold: float, label: str, verbose: bool, columns: str, grid: str, limit: str, store: str, data: str) -> None:
    run_step("train", locals())


@task(secret_requests=SECRETS, retries=1)
def report(n_estimators: int, threshold: float, label: str, verbose: bool, columns: str, grid: str, limit: str, store: str, data: str) -> None:
    run_step("report", locals())


@task(secret_requests=SECRETS)
def alert(n_estimators: int, threshold: float, label: str, verbose: bool, columns: str, grid: str, limit: str, store: str, data: str) -> None:
    """Say that a run failed."""
    command(["alert", "--store", store, "--run", run_name(), "--to", "ALERT_URL"])


@workflow(on_failure=alert)
def churn(
    n_estimators: int = 200,
    threshold: float = 0.5,
    label: str = 'who\'s "leaving"?\n{{ ds }} $(rm -rf ~) `x` {% raw %} @@STEPS@@',
    verbose: bool = False,
    columns: str = '["age", "r\\u00e9gion"]',
    grid: str = '{"depth": [3, null]}',
    limit: str = "null",
    store: str = STORE,
    data: str = "",
) -> None:
    """Join the steps by what flows between them."""
    inputs = dict(locals())
    steps = {}
    steps["load"] = load(**inputs)
    steps["clean"] = clean(**inputs)
    steps["train"] = train(**inputs)
    steps["report"] = report(**inputs)
    steps["load"] >> steps["clean"]
    steps["clean"] >> steps["train"]
    steps["load"] >> steps["train"]
    steps["train"] >> steps["report"]
    steps["clean"] >> steps["report"]


LaunchPlan.get_or_create(workflow=churn, name="churn_on_time", schedule=CronSchedule(schedule="0 6 * * 1"))
