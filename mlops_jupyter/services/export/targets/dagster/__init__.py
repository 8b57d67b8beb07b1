"""Dagster: `dagster/<package>.py`, in which each step is an op that runs the bundle's own command.

What a step makes is an asset that the op records. Dagster does not make it anew by itself: it belongs to a run.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.export.emit.ascii_names import plain
from mlops_jupyter.services.export.emit.parameters import overridable, unsettable
from mlops_jupyter.services.export.emit.python import identifier, literal
from mlops_jupyter.services.export.emit.templates import Template, fill
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature
from mlops_jupyter.services.export.targets.dagster.starters import starters

name = "dagster"
title = "Dagster"
expresses = frozenset(Feature) - {Feature.DRIFT, Feature.CATCHUP}

RESERVED = {"context", "conf", "config", "meta", "arg_dict", "dict", "input_arg_dict", "output_arg_dict"}
RESERVED |= {"int", "str", "float", "bool", "input", "output", "type"}
"""Names that Dagster keeps for itself."""

TYPES = {bool: "bool", int: "int", float: "float", str: "str", list: "dagster.Array(dagster.Any)"}


def render(plan: Plan) -> Mapping[str, str]:
    """Return the file of definitions, and the settings that a Dagster instance needs to hold runs back.

    Raises
    ------
    UserError
        A name is no identifier, or Dagster cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    parts = {
        "PACKAGE": package,
        "UPPER": package.upper(),
        "OWN": "DAGSTER",
        "JOB": job(package),
        "TITLE": literal(plan.name),
        "PARAMETERS": _parameters(plan),
        "SECRETS": literal([secret for secret in plan.secrets if secret != plan.alert]),
        "ASSETS": _assets(plan),
        "STEPS": _steps(plan),
        "ALERT": ALERT.substitute(NAME=literal(plan.alert)) if plan.alert else "",
        "HOOKS": "\n    hooks={alert}," if plan.alert else "",
    }
    parts |= starters(plan.schedule, job(plan.schedule.after) if plan.schedule and plan.schedule.after else "")
    files = {f"dagster/{package}.py": fill(__package__, "definitions.txt", parts)}
    return files | ({"dagster/dagster.yaml": _instance(plan.schedule, parts["JOB"])} if plan.schedule else {})


ALERT = Template('''\
@dagster.failure_hook
def alert(context: dagster.HookContext) -> None:
    """Say that a step of a run failed, to the web address that a secret holds."""
    run = context.instance.get_run_by_id(context.run_id)
    call(["alert", "--to", @@{NAME}], origin(run, context.instance) if run else context.run_id, {})


''')


def job(package: str) -> str:
    """Return the name of the job of a pipeline."""
    return plain([identifier(package, "package")], RESERVED)[package]


def _ops(plan: Plan) -> dict[str, str]:
    return plain((identifier(step.name, "step") for step in plan.steps), RESERVED)


def _assets(plan: Plan) -> str:
    ops = _ops(plan)
    keys = {step: f"[JOB, {literal(op)}]" for step, op in ops.items()}
    return "\n".join(
        f"    dagster.AssetSpec({keys[step.name]}, deps=[{', '.join(keys[before] for before in step.upstream)}]),"
        for step in plan.steps
    )


def _steps(plan: Plan) -> str:
    ops = _ops(plan)
    return "\n".join(f"    steps[{literal(step.name)}] = step({_step(step, ops[step.name])})" for step in plan.steps)


def _step(step: PlanStep, op: str) -> str:
    wishes = step.resources
    after = ", ".join(f"steps[{literal(before)}]" for before in step.upstream)
    settings = [literal(step.name), literal(op), f"[{after}]"]
    if wishes.retries:
        settings.append(f"retries={literal(wishes.retries)}")
        if wishes.backoff_seconds:
            settings.append(f"delay={literal(wishes.backoff_seconds)}")
    if wishes.timeout_seconds:
        settings.append(f"timeout={literal(wishes.timeout_seconds)}")
    requests: dict[str, object] = {}
    if wishes.cpu:
        requests["cpu"] = f"{wishes.cpu:g}"
    if wishes.memory_bytes:
        requests["memory"] = str(wishes.memory_bytes)
    if requests:
        settings.append(f"requests={literal(requests)}")
    if wishes.gpu:
        settings.append(f"limits={literal({'nvidia.com/gpu': str(wishes.gpu)})}")
    return ", ".join(settings)


def _parameters(plan: Plan) -> str:
    lines = [f"    {literal(p.name)}: dagster.Field({_field(p)}),\n" for p in overridable(plan)]
    return f"{{\n{''.join(lines)}}}" if lines else "{}"


def _field(parameter: Parameter) -> str:
    value = parameter.default
    kind = "dagster.Permissive()" if isinstance(value, dict) else TYPES.get(type(value), "dagster.Any")
    if value is None:  # the notebook says nothing of its type, so any is taken
        return "dagster.Noneable(dagster.Any), default_value=None"
    return f"{kind}, default_value={literal(value)}"


def _instance(schedule: ScheduleSpec, name: str) -> str:
    limit = {"key": "mlops_jupyter/pipeline", "value": name, "limit": schedule.concurrency}
    text = documents({"concurrency": {"runs": {"tag_concurrency_limits": [limit]}}})
    return f"# For the instance's own dagster.yaml: only so many runs of this pipeline at once; others wait.\n{text}"


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to a Dagster that runs."""
    package = plan.package
    started = secrets = ""
    if plan.schedule:
        started = (
            "\nThe schedule is on as soon as a daemon sees it. How many runs may be under way at once is the\n"
            "instance's matter: where it has a `dagster.yaml`, add the limit of this one to its list.\n\n```sh\n"
            'cp -n dagster/dagster.yaml "$DAGSTER_HOME/"\n'
            f"dagster-daemon run -f dagster/{package}.py\n```\n"
        )
    if plan.secrets:
        names = ", ".join(f"`{secret}`" for secret in plan.secrets)
        secrets = f"\nSet in the environment of its runs: {names}.\n"
    return f"""\
Tested with Dagster 1.13. The ops run the steps with the bundle's `.venv`; Dagster needs none of their packages.

```sh
python{plan.environment.python} -m venv .venv
.venv/bin/python -m pip install -r requirements.lock
dagster definitions validate -f dagster/{package}.py
dagster job execute -f dagster/{package}.py -j {job(package)}
dagster dev -f dagster/{package}.py
```
{started}
With several machines the bundle and its `.venv` must lie on each, and the store where all reach it. Environment
variables say where, and in which folder newer data files are (without it, the copies in the bundle are read):

```sh
export {package.upper()}_HOME=/opt/pipelines/{package}
export {package.upper()}_PYTHON=/opt/pipelines/{package}/.venv/bin/python
export {package.upper()}_STORE=s3://bucket/{package}
export {package.upper()}_DATA=/data/{package}
```
{secrets}{unsettable(plan, title)}"""
