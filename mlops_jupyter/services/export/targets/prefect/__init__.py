"""Prefect 3: `flows/<package>.py`, in which each step is a task that runs the bundle's own command, and `prefect.yaml`.

No text of the notebook gets into `prefect.yaml`: Prefect takes `{{ }}` there for its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.expression import parse
from mlops_jupyter.services.cron.portable import in_zone
from mlops_jupyter.services.export.emit.parameters import overridable, unsettable
from mlops_jupyter.services.export.emit.python import identifier, literal
from mlops_jupyter.services.export.emit.templates import fill
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "prefect"
title = "Prefect 3"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
        Feature.CONCURRENCY,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

MOST_RETRIES = 50
"""The longest list of pauses that Prefect takes."""

TYPES = {bool: "bool", int: "int", float: "float", str: "str", list: "list[Any]", dict: "dict[str, Any]"}


def render(plan: Plan) -> Mapping[str, str]:
    """Return the flow's file, and the deployment's.

    Raises
    ------
    UserError
        A name is no identifier, or Prefect cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    secrets = {secret: _block(secret) for secret in plan.secrets}
    twice = [block for block, count in Counter(secrets.values()).items() if count > 1]
    if twice:
        raise UserError(f"secrets that differ in case alone are one Secret block {twice[0]!r} to Prefect: rename one")
    to = plan.alert
    parts = {
        "PACKAGE": package,
        "UPPER": package.upper(),
        "OWN": "PREFECT",
        "TITLE": literal(plan.name),
        "SECRETS": literal({secret: block for secret, block in secrets.items() if secret != to}),
        "STEPS": "\n".join(f"        steps[{literal(s.name)}] = start({_step(s)})" for s in plan.steps),
        "ALERT": ALERT.format(name=literal(to), secret=literal({to: secrets[to]})) if to else "",
        "HOOKS": ", on_failure=[alert], on_crashed=[alert]" if to else "",
        "SIGNATURE": _signature(plan),
    }
    return {f"flows/{package}.py": fill(__package__, "flow.txt", parts), "prefect.yaml": _deployment(plan, package)}


ALERT = '''\
async def alert(flow: Any, run: Any, state: Any) -> None:
    """Say that a run failed, to the web address that a secret holds."""
    await call(["alert", "--to", {name}], str(run.id), {secret})


'''


def _block(secret: str) -> str:
    return secret.lower().replace("_", "-")


def _step(step: PlanStep) -> str:
    wishes = step.resources
    after = ", ".join(f"steps[{literal(before)}]" for before in step.upstream)
    settings = [literal(identifier(step.name, "step")), f"[{after}]"]
    if wishes.retries > MOST_RETRIES:
        raise UserError(f"step {step.name!r} asks for {wishes.retries} retries: Prefect takes {MOST_RETRIES} at most")
    if wishes.retries:
        settings.append(f"retries={literal(wishes.retries)}")
        if wishes.backoff_seconds:
            settings.append(f"delay={literal(wishes.backoff_seconds)}")
    if wishes.timeout_seconds:
        settings.append(f"timeout={literal(wishes.timeout_seconds)}")
    return ", ".join(settings)


def _signature(plan: Plan) -> str:
    lines = [f"    {parameter.name}: {_typed(parameter)},\n" for parameter in overridable(plan)]
    return f"\n    *,\n{''.join(lines)}" if lines else ""


def _typed(parameter: Parameter) -> str:
    if parameter.name.startswith(("_", "model_", "v__")) or parameter.name in ("self", "cls"):
        raise UserError(f"parameter {parameter.name!r} has a name that Prefect keeps for itself: rename it")
    value = parameter.default  # of None the notebook says no type, so any is taken
    return f"{TYPES.get(type(value), 'Any')} = {literal(value)}"


def _deployment(plan: Plan, package: str) -> str:
    deployment: dict[str, object] = {"name": package, "entrypoint": f"flows/{package}.py:pipeline"}
    if schedule := plan.schedule:
        if times := _times(schedule):
            deployment["schedules"] = [times]
        deployment["concurrency_limit"] = {"limit": schedule.concurrency, "collision_strategy": "ENQUEUE"}
    facts = {"name": package, "deployments": [deployment]}
    return documents(facts)


def _times(schedule: ScheduleSpec) -> dict[str, object]:
    if schedule.every_seconds:
        return {"interval": schedule.every_seconds, "anchor_date": "1970-01-01T00:00:00+00:00", "timezone": "UTC"}
    if not schedule.cron:
        return {}
    cron = parse(schedule.cron)
    # Its croniter goes from a February to a day that this does not have, and past the first of March.
    if 2 in cron.months and len(cron.days) < 31 and max(cron.days) > 29 and min(cron.days) < 3:
        raise UserError(
            f"cron {schedule.cron!r} fires on days 30 or 31 and on 1 or 2, and after February Prefect leaves out the "
            f"latter: take other days"
        )
    text, place = in_zone(schedule, title)
    return {"cron": text, "timezone": place}


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to a Prefect that runs."""
    package = plan.package
    secrets = "".join(
        f"\n* `{secret}`: the Secret block `{_block(secret)}`, or the variable in the workers' environment"
        for secret in plan.secrets
    )
    return f"""\
Tested with Prefect 3.7. The tasks run the steps with the bundle's `.venv`; Prefect needs none of their packages.

```sh
python{plan.environment.python} -m venv .venv
.venv/bin/python -m pip install -r requirements.lock
python flows/{package}.py
prefect work-pool create pipelines --type process
prefect deploy --name {package} --pool pipelines
prefect worker start --pool pipelines
```

The third line is one run at once. With several workers the bundle and its `.venv` must lie on each, and the store where
all reach it. Environment variables of the workers say where, and in which folder newer data files are (without it, the
copies in the bundle are read):

```sh
export {package.upper()}_HOME=/opt/pipelines/{package}
export {package.upper()}_PYTHON=/opt/pipelines/{package}/.venv/bin/python
export {package.upper()}_STORE=s3://bucket/{package}
export {package.upper()}_DATA=/data/{package}
```
{f"{chr(10)}Secrets:{chr(10)}{secrets}{chr(10)}" if secrets else ""}{unsettable(plan, title)}"""
