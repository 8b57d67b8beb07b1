"""Flyte 1: `workflows/<package>.py`, in which each step is a task that runs the bundle's own command."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import minutes
from mlops_jupyter.services.cron.dst import in_utc
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.image import PYTHON, beside
from mlops_jupyter.services.export.emit.parameters import in_json, unsettable
from mlops_jupyter.services.export.emit.python import called, identifier, literal
from mlops_jupyter.services.export.emit.templates import fill
from mlops_jupyter.services.export.targets import Feature

name = "flyte"
title = "Flyte 1"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.INTERVAL,
        Feature.RETRIES,
        Feature.TIMEOUT,
        Feature.CPU,
        Feature.MEMORY,
        Feature.GPU,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

LARGEST = 2**63 - 1
"""The largest integer that Flyte holds."""

TAKEN = frozenset(
    """
    json os subprocess sys time timedelta Path task workflow LaunchPlan CronSchedule FixedRate Resources Secret
    current_context FlyteRecoverableException PACKAGE HOME STORE STARTED PARAMETERS AS_JSON SECRETS
    run_step run_name command alert inputs steps dict locals bool int float str
    """.split()  # noqa: SIM905 - a list of words
)
"""Names that the file itself uses."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the workflow file. Whatever the plan's texts hold, they are data: they are literals, or not there.

    Raises
    ------
    UserError
        A name is no identifier, or Flyte, which knows UTC alone, cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    whole = workflow(plan)
    tasks = called((identifier(step.name, "step") for step in plan.steps), {*TAKEN, whole}, "step")
    settable_parameters = [p for p in plan.parameters if identifier(p.name, "parameter") and settable(p)]
    taken = {*TAKEN, whole, *tasks.values(), "store", "data"}
    named = called((p.name for p in settable_parameters), taken, "parameter", lower=True)
    types = {named[p.name]: _type(p) for p in settable_parameters} | {"store": "str", "data": "str"}
    defaults = {named[p.name]: _default(p) for p in settable_parameters} | {"store": "STORE", "data": '""'}
    inputs = ", ".join(f"{name}: {kind}" for name, kind in types.items())
    parts = {
        "PACKAGE": package,
        "IMPORTED": ", ".join(_imported(plan)),
        "PARAMETERS": literal(named),
        "JSON": literal([named[p.name] for p in settable_parameters if type(p.default) not in PLAIN]),
        "SECRETS": _secrets(plan),
        "TASKS": "\n\n\n".join(_tasks(plan, tasks, inputs)),
        "FAILURE": "(on_failure=alert)" if plan.alert else "",
        "CALLED": whole,
        "DECLARED": "".join(f"\n    {name}: {kind} = {defaults[name]}," for name, kind in types.items()) + "\n",
        "BODY": "\n".join(f"    {line}" for line in _body(plan, tasks)),
        "PLAN": _launch_plan(plan.schedule, whole),
    }
    text = fill(__package__, "workflow.txt", parts).rstrip("\n") + "\n"
    return {"workflows/__init__.py": '"""Workflows for Flyte."""\n', f"workflows/{package}.py": text}


PLAIN = (bool, int, float, str)
"""Types whose values Flyte passes on as they are; others are passed as JSON."""


def workflow(plan: Plan) -> str:
    """Return the name of the workflow in its file."""
    return called([plan.package], TAKEN, "workflow")[plan.package]


def settable(parameter: Parameter) -> bool:
    """Return whether a parameter goes through Flyte unchanged; another keeps the pipeline's own default."""
    value = parameter.default
    return bool(in_json(value)) and not (type(value) is int and abs(value) > LARGEST)


def _type(parameter: Parameter) -> str:
    return type(parameter.default).__name__ if type(parameter.default) in PLAIN else "str"


def _default(parameter: Parameter) -> str:
    value = parameter.default
    return literal(value if type(value) in PLAIN else json.dumps(value))


def _imported(plan: Plan) -> list[str]:
    """Return the names that the file imports: only those that it uses."""
    schedule = plan.schedule
    optional = {
        "CronSchedule": bool(schedule and schedule.cron),
        "FixedRate": bool(schedule and schedule.every_seconds),
        "LaunchPlan": bool(schedule and (schedule.cron or schedule.every_seconds)),
        "Resources": any(_resources(step) for step in plan.steps),
        "Secret": bool(plan.secrets),
    }
    return [*(name for name, used in optional.items() if used), "current_context", "task", "workflow"]


def _secrets(plan: Plan) -> str:
    group = literal(label(plan.package))
    lines = [
        f"    Secret(group={group}, key={key}, env_var={key}, mount_requirement=Secret.MountType.ENV_VAR),\n"
        for key in map(literal, plan.secrets)
    ]
    return f"[\n{''.join(lines)}]" if lines else "[]"


def _tasks(plan: Plan, tasks: Mapping[str, str], inputs: str) -> Iterator[str]:
    for step in plan.steps:
        settings = ", ".join(["secret_requests=SECRETS", *_settings(step)])
        head = f"@task({settings})\ndef {tasks[step.name]}({inputs}) -> None:"
        yield f"{head}\n    run_step({literal(step.name)}, locals())"
    if plan.alert:
        words = f'["alert", "--store", store, "--run", run_name(), "--to", {literal(plan.alert)}]'
        yield (
            f"@task(secret_requests=SECRETS)\ndef alert({inputs}) -> None:\n"
            f'    """Say that a run failed."""\n    command({words})'
        )


def _settings(step: PlanStep) -> Iterator[str]:
    wishes = step.resources
    if wishes.retries:
        yield f"retries={literal(wishes.retries)}"
    if wishes.timeout_seconds:
        yield f"timeout=timedelta(seconds={math.ceil(wishes.timeout_seconds)})"
    if asked := _resources(step):
        yield f"requests={asked}"
        yield f"limits={asked}"


def _resources(step: PlanStep) -> str:
    wishes = step.resources
    requests = {
        "cpu": wishes.cpu and f"{wishes.cpu:g}",
        "mem": wishes.memory_bytes and str(wishes.memory_bytes),
        "gpu": wishes.gpu and str(wishes.gpu),
    }
    words = ", ".join(f"{name}={literal(value)}" for name, value in requests.items() if value)
    return f"Resources({words})" if words else ""


def _body(plan: Plan, tasks: Mapping[str, str]) -> Iterator[str]:
    yield "inputs = dict(locals())"
    yield "steps = {}"
    for step in plan.steps:
        yield f"steps[{literal(step.name)}] = {tasks[step.name]}(**inputs)"
    for before, after in plan.edges():
        yield f"steps[{literal(before)}] >> steps[{literal(after)}]"


def _launch_plan(schedule: ScheduleSpec | None, whole: str) -> str:
    if schedule and schedule.cron:
        when = f"CronSchedule(schedule={literal(in_utc(schedule, title))})"
    elif schedule and schedule.every_seconds:
        when = f"FixedRate(duration=timedelta(seconds={60 * minutes(schedule, title)}))"
    else:
        return ""
    return f"\n\nLaunchPlan.get_or_create(workflow={whole}, name={literal(f'{whole}_on_time')}, schedule={when})"


def deploy(plan: Plan) -> str:
    """Return how to run the workflow here, and how to bring it to a Flyte that runs."""
    image, whole, file = label(plan.package), workflow(plan), f"workflows/{plan.package}.py"
    build = beside(plan, "flyte", "flytekit==1.16.31", f"ENV PIPELINE_PYTHON={PYTHON}\nCOPY . workflows", "workflows")
    parts = [
        f"""\
Tested with flytekit 1.16, on one machine. Flyte runs the steps with the bundle's `.venv` and needs none of their
packages:

```sh
python{plan.environment.python} -m venv .venv && .venv/bin/python -m pip install -r requirements.lock
pyflyte run {file} {whole}
pyflyte run {file} {whole} --help
```""",
        f"""\
On a cluster the tasks run in the bundle's image, to which flytekit is added in an environment of its own, and the store
is an address that all reach:

```sh
{build}export PIPELINE_STORE=s3://bucket/{image}
pyflyte --pkgs workflows package --image REGISTRY/{image}:1 --output {image}.tgz
flytectl register files --project PROJECT --domain production --archive {image}.tgz --version 1
```""",
    ]
    if plan.secrets:
        keys = " ".join(f"--from-literal={key}=..." for key in plan.secrets)
        parts.append(f"What the steps read from secrets:\n\n```sh\nkubectl create secret generic {image} {keys}\n```")
    if plan.schedule and (plan.schedule.cron or plan.schedule.every_seconds):
        parts.append(
            f"Let it run on time:\n\n```sh\nflytectl update launchplan --project PROJECT --domain production "
            f"{whole}_on_time --version 1 --activate\n```"
        )
    parts.append(unsettable(plan, title, settable).strip())
    return "\n\n".join(filter(None, parts)) + "\n"
