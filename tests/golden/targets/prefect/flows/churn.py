"""The pipeline `churn` on Prefect 3: a task for each step, run by the pipeline's own interpreter.

Environment variables say where; none is needed while this file is in its bundle:

* `CHURN_HOME`: the bundle's folder; without it, the one above this file's.
* `CHURN_PYTHON`: an interpreter with the packages of requirements.lock; without it, the one of the bundle's `.venv`,
  and if there is none, Prefect's.
* `CHURN_STORE`: where runs and artifacts are kept, a folder or an fsspec address that every worker reaches; without
  it, `out` in the bundle.
* `CHURN_DATA`: a folder with newer data files under the same names; without it, the copies in the bundle.
"""

import asyncio
import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
from prefect import flow, task
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.tasks import exponential_backoff

PACKAGE = "churn"
# Each from the Secret block of that name, or from the environment where there is none.
SECRETS = {"DATABASE_URL": "database-url"}


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
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
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


async def call(words: list[str], run: str, secrets: dict[str, str]) -> None:
    """Call the pipeline's command, say what it says, and wait for it; fail when it fails."""
    line, home, environment = command(words, run)
    environment |= {name: await revealed(name, block) for name, block in secrets.items()}
    process = await asyncio.create_subprocess_exec(
        *line,
        cwd=home,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        while text := await process.stdout.read(1 << 16):
            print(text.decode(errors="replace"), end="")
        code = await process.wait()
    finally:
        await stop(process)
    if code:
        raise RuntimeError(f"{' '.join(words[:2])}: ended with exit code {code}; what it printed is above")


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a command that still runs when its task is over: its time is up, or someone said so."""
    if process.returncode is None:
        with anyio.CancelScope(shield=True):
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()


async def revealed(name: str, block: str) -> str:
    """Return a secret."""
    try:
        return str((await Secret.aload(block)).get())
    except ValueError:  # there is no such block
        if name in os.environ:
            return os.environ[name]
        raise RuntimeError(f"no secret {name!r}: make the Secret block {block!r}, or set it in the environment") from None


@task(cache_policy=NO_CACHE, log_prints=True)
async def step(name: str, run: str, parameters: dict[str, Any]) -> None:
    """Run one step as `python -m churn step NAME`."""
    await call(step_words(name, parameters), run, SECRETS)


def joined(parameters_of: Callable[..., None]) -> Callable[..., list[Any]]:
    """Return what a run does with parameters like those of a function: all steps, joined by what flows between them."""

    @functools.wraps(parameters_of)
    def run(**parameters: Any) -> list[Any]:
        def start(name: str, after: list[Any], retries: int = 0, delay: float = 30, timeout: float | None = None) -> Any:
            """Start a step when those before it have succeeded."""
            more = {"retries": retries, "retry_delay_seconds": exponential_backoff(delay)} if retries else {}
            options = step.with_options(name=name, task_run_name=name, timeout_seconds=timeout, **more)
            return options.submit(name, flow_run.id, parameters, wait_for=after)

        steps: dict[str, Any] = {}
        steps["load"] = start("load", [])
        steps["clean"] = start("clean", [steps["load"]])
        steps["train"] = start("train", [steps["clean"], steps["load"]], retries=2, delay=30, timeout=1800)
        steps["report"] = start("report", [steps["train"], steps["clean"]], retries=1)
        return list(steps.values())

    return run


async def alert(flow: Any, run: Any, state: Any) -> None:
    """Say that a run failed, to the web address that a secret holds."""
    await call(["alert", "--to", "ALERT_URL"], str(run.id), {"ALERT_URL": "alert-url"})


@flow(name=PACKAGE, description="Churn, monthly", log_prints=True, on_failure=[alert], on_crashed=[alert])
@joined
def pipeline(
    *,
    n_estimators: int = 200,
    threshold: float = 0.5,
    label: str = 'who\'s "leaving"?\n{{ ds }} $(rm -rf ~) `x` {% raw %} @@STEPS@@',
    verbose: bool = False,
    columns: list[Any] = ["age", "région"],
    grid: dict[str, Any] = {"depth": [3, None]},
    limit: Any = None,
) -> None:
    """Name the parameters of a run."""


if __name__ == "__main__":
    pipeline()
