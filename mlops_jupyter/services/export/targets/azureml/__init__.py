"""Azure Machine Learning: `azureml/pipeline.yml`, in which each step is a command job of the bundle's image.

Azure ML puts values into the text of a command, which a shell then reads: they are JSON without single quotes there,
between single quotes. Its edges are outputs that another job takes: here the store, which each job mounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import minutes
from mlops_jupyter.services.cron.dst import in_utc
from mlops_jupyter.services.export.emit.backoff import pauses
from mlops_jupyter.services.export.emit.dns_labels import label, labels
from mlops_jupyter.services.export.emit.parameters import overridable, text, unsettable
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "azureml"
title = "Azure Machine Learning"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.INTERVAL,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
    }
)

SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
IMAGE, COMPUTE = "REGISTRY", "azureml:cpu-cluster"
UNITS = (("day", 1440), ("hour", 60), ("minute", 1))
"""Units of recurrences, each with its minutes."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the pipeline, and the schedule where a clock starts it.

    Raises
    ------
    UserError
        A name is no identifier, or Azure ML cannot fire when the schedule says.
    """
    identifier(plan.package, "package")
    steps = _names(identifier(step.name, "step") for step in plan.steps)
    inputs = _names(parameter.name for parameter in overridable(plan))
    pipeline = {
        "$schema": f"{SCHEMAS}/pipelineJob.schema.json",
        "type": "pipeline",
        "display_name": label(plan.package),
        "inputs": {inputs[p.name]: _quotable(p.default) for p in overridable(plan)},
        "settings": {"default_compute": COMPUTE, "force_rerun": True},  # the store knows what has not changed
        "jobs": {steps[step.name]: _job(plan, step, steps, inputs) for step in plan.steps},
    }
    files = {"pipeline": {key: value for key, value in pipeline.items() if value}}
    if trigger := _trigger(plan.schedule):
        files["schedule"] = {
            "$schema": f"{SCHEMAS}/schedule.schema.json",
            "name": label(plan.package),
            "trigger": trigger,
            "create_job": "./pipeline.yml",
        }
    return {f"azureml/{file}.yml": documents(found, ascii_only=True) for file, found in files.items()}


def _names(given: Any) -> dict[str, str]:
    """Return name -> a lower-case name of letters, digits and ``_``, without two ``_`` side by side."""
    return {name: found.replace("-", "_") for name, found in labels(given).items()}


def _quotable(value: object) -> str:
    """Return a value as JSON that can stand between single quotes of a shell."""
    return text(value).replace("'", r"\u0027")


def _job(plan: Plan, step: PlanStep, steps: Mapping[str, str], inputs: Mapping[str, str]) -> dict[str, Any]:
    given = {inputs[p.name]: f"${{{{parent.inputs.{inputs[p.name]}}}}}" for p in overridable(plan)}
    after = {f"after__{steps[n]}": f"${{{{parent.jobs.{steps[n]}.outputs.store}}}}" for n in step.upstream}
    store = f"azureml://datastores/workspaceblobstore/paths/{label(plan.package)}"
    job = {
        "type": "command",
        "environment": {"image": f"{IMAGE}/{label(plan.package)}:1"},
        "command": _command(plan, step, inputs),
        "inputs": {**given, **after},
        "outputs": {"store": {"type": "uri_folder", "mode": "rw_mount", "path": store}},
    }
    return {key: value for key, value in job.items() if value}


def _command(plan: Plan, step: PlanStep, inputs: Mapping[str, str]) -> str:
    given = "".join(f" -p '{p.name}=${{{{inputs.{inputs[p.name]}}}}}'" for p in overridable(plan))
    words = f"step {step.name} --store ${{{{outputs.store}}}} --run $AZUREML_ROOT_RUN_ID"  # both without blanks
    once = f"python -m {plan.package} {words}{given}"
    if not step.resources.retries:
        return once
    return (
        f"for pause in {' '.join(pauses(step.resources))} end; do {once} && exit 0; code=$?; "
        f"[ $code = 1 ] && [ $pause != end ] || exit $code; sleep $pause; done"
    )


def _trigger(schedule: ScheduleSpec | None) -> dict[str, Any]:
    if schedule and schedule.every_seconds:
        count = minutes(schedule, title)
        unit, length = next((unit, length) for unit, length in UNITS if count % length == 0)
        return {"type": "recurrence", "frequency": unit, "interval": count // length}
    if schedule and schedule.cron:
        line = in_utc(schedule, title)
        _, _, day, month, _ = line.split()
        if (day, month) != ("*", "*"):
            raise UserError(
                f"cron {schedule.cron!r} restricts day-of-month or month, which {title} takes for every day and month: "
                f"restrict weekdays, or take another target"
            )
        return {"type": "cron", "expression": line, "time_zone": "UTC"}
    return {}


def deploy(plan: Plan) -> str:
    """Return how to bring the pipeline to a workspace of Azure ML."""
    called = label(plan.package)
    first = next(iter(overridable(plan)), None)
    given = f" \\\n  --set 'inputs.{_names([first.name])[first.name]}={_quotable(first.default)}'" if first else ""
    clock = "az ml schedule create --file azureml/schedule.yml --resource-group GROUP --workspace-name WORKSPACE\n"
    return f"""\
Build the image, and write its address, and the name of your compute cluster, into the pipeline:

```sh
docker build -t {called} .
docker build -t your.azurecr.io/{called}:1 - <<'END'
FROM {called}
USER root
ENTRYPOINT []
END
docker push your.azurecr.io/{called}:1
sed -i 's#{IMAGE}/{called}:1#your.azurecr.io/{called}:1#; s#{COMPUTE}#azureml:your-cluster#' azureml/pipeline.yml
az ml job create --file azureml/pipeline.yml --resource-group GROUP --workspace-name WORKSPACE{given}
{clock if _trigger(plan.schedule) else ""}```

Parameters are JSON; where one holds a single quote, write `\\u0027` for it. What runs make lies in the folder
`{called}` of the workspace's own blob store. Data files are the copies in the image. A run that is still under way does
not keep the next one from starting.
{unsettable(plan, title)}"""
