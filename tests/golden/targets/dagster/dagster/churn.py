"""The pipeline `churn` on Dagster: an op and an asset for each step, run by the pipeline's own interpreter.

Environment variables say where; none is needed while this file is in its bundle:

* `CHURN_HOME`: the bundle's folder; without it, the one above this file's.
* `CHURN_PYTHON`: an interpreter with the packages of requirements.lock; without it, the one of the bundle's `.venv`,
  and if there is none, Dagster's.
* `CHURN_STORE`: where runs and artifacts are kept, a folder or an fsspec address that every worker reaches; without
  it, `out` in the bundle.
* `CHURN_DATA`: a folder with newer data files under the same names; without it, the copies in the bundle.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster

PACKAGE = "churn"
JOB = "churn"
PARAMETERS = {
    "n_estimators": dagster.Field(int, default_value=200),
    "threshold": dagster.Field(float, default_value=0.5),
    "label": dagster.Field(str, default_value='who\'s "leaving"?\n{{ ds }} $(rm -rf ~) `x` {% raw %} @@STEPS@@'),
    "verbose": dagster.Field(bool, default_value=False),
    "columns": dagster.Field(dagster.Array(dagster.Any), default_value=["age", "région"]),
    "grid": dagster.Field(dagster.Permissive(), default_value={"depth": [3, None]}),
    "limit": dagster.Field(dagster.Noneable(dagster.Any), default_value=None),
}
# Filled from the environment of Dagster's runs, or from its own store of secrets, which fills that.
SECRETS = ["DATABASE_URL"]
# What the steps make. Each run of the job says that it has made them; Dagster makes none of them by itself.
ASSETS = [
    dagster.AssetSpec([JOB, "load"], deps=[]),
    dagster.AssetSpec([JOB, "clean"], deps=[[JOB, "load"]]),
    dagster.AssetSpec([JOB, "train"], deps=[[JOB, "clean"], [JOB, "load"]]),
    dagster.AssetSpec([JOB, "report"], deps=[[JOB, "train"], [JOB, "clean"]]),
]


def setting(name: str) -> str | None:
    """Return this pipeline's environment variable with that name, or None."""
    return os.environ.get(f"{PACKAGE}_{name}".upper())


def command(words: list[str], run: str) -> tuple[list[str], Path, dict[str, str]]:
    """Return how `python -m churn` is called with some words for a run: command line, folder, environment."""
    home = Path(setting("home") or Path(__file__).resolve().parent.parent)
    own = home / ".venv" / "bin" / "python"
    python = setting("python") or str(own if own.exists() else sys.executable)
    print(f"run by {python}")
    store = setting("store") or str(home / "out")
    # The steps need none of the orchestrator's settings, and some of them are secret.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER")}
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


@dagster.resource(config_schema=PARAMETERS, description="The pipeline's parameters.")
def parameters(context: dagster.InitResourceContext) -> dict[str, Any]:
    """Return the parameters of a run: `resources: {parameters: {config: {name: value}}}`."""
    return context.resource_config


def step(
    name: str,
    op: str,
    after: list[Any],
    retries: int = 0,
    delay: float = 30,
    timeout: float | None = None,
    requests: dict[str, str] | None = None,
    limits: dict[str, str] | None = None,
) -> Any:
    """Add the op of a step to the job; return what the ops after it wait for."""
    policy = dagster.RetryPolicy(max_retries=retries, delay=delay, backoff=dagster.Backoff.EXPONENTIAL)
    # Dagster's executor on Kubernetes reads this; others leave it alone.
    resources = {"resources": {"requests": requests or {}, "limits": limits or {}}}

    @dagster.op(
        name=op,
        description=f"python -m {PACKAGE} step {name}",
        ins={"after": dagster.In(dagster.Nothing)} if after else {},
        out=dagster.Out(dagster.Nothing),
        required_resource_keys={"parameters"},
        retry_policy=policy if retries else None,
        tags={"dagster-k8s/config": {"container_config": resources}} if requests or limits else None,
    )
    def run(context: dagster.OpExecutionContext) -> None:
        if missing := [secret for secret in SECRETS if secret not in os.environ]:
            raise RuntimeError(f"not set in the environment: {', '.join(missing)}")
        whole = origin(context.run, context.instance)
        call(step_words(name, context.resources.parameters), whole, {}, timeout)
        context.log_event(dagster.AssetMaterialization([JOB, op], metadata={"run": run_name(whole)}))

    return run(after) if after else run()


def origin(run: dagster.DagsterRun, instance: dagster.DagsterInstance) -> str:
    """Return the id of a run, or of the one that it goes on with from where that failed."""
    while run.tags.get("dagster/is_resume_retry") == "true" and run.parent_run_id:
        before = instance.get_run_by_id(run.parent_run_id)
        if before is None:
            break
        run = before
    return run.run_id


@dagster.failure_hook
def alert(context: dagster.HookContext) -> None:
    """Say that a step of a run failed, to the web address that a secret holds."""
    run = context.instance.get_run_by_id(context.run_id)
    call(["alert", "--to", "ALERT_URL"], origin(run, context.instance) if run else context.run_id, {})


@dagster.job(
    name=JOB,
    description="Churn, monthly",
    resource_defs={"parameters": parameters},
    tags={"mlops_jupyter/pipeline": JOB},
    hooks={alert},
)
def pipeline() -> None:
    """Join the steps by what flows between them."""
    steps: dict[str, Any] = {}
    steps["load"] = step("load", "load", [])
    steps["clean"] = step("clean", "clean", [steps["load"]])
    steps["train"] = step("train", "train", [steps["clean"], steps["load"]], retries=2, delay=30, timeout=1800, requests={"cpu": "2", "memory": "1073741824"}, limits={"nvidia.com/gpu": "1"})
    steps["report"] = step("report", "report", [steps["train"], steps["clean"]], retries=1)


schedule = dagster.ScheduleDefinition(
    name=f"{JOB}_schedule",
    job=pipeline,
    cron_schedule="0 6 * * 1",
    execution_timezone="Europe/Oslo",
    default_status=dagster.DefaultScheduleStatus.RUNNING,
)

definitions = dagster.Definitions(assets=ASSETS, jobs=[pipeline], schedules=[schedule])
