"""SageMaker Pipelines: `sagemaker/pipeline.json`, in which each step is a processing job of the bundle's image.

Nothing goes through a shell: a job gets the bundle's command as a list of words, its parameters are the pipeline's and
hold JSON, and all steps of a run name it after the pipeline's execution.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.core.units import count_of
from mlops_jupyter.services.cron.cron_fields import minutes, with_years
from mlops_jupyter.services.cron.portable import utc_or_zone
from mlops_jupyter.services.export.emit import parameters
from mlops_jupyter.services.export.emit.dns_labels import label, labels
from mlops_jupyter.services.export.emit.image import PYTHON
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.targets import Feature

name = "sagemaker"
title = "SageMaker Pipelines"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
        Feature.TIMEOUT,
        Feature.CPU,
        Feature.MEMORY,
        Feature.GPU,
    }
)

IMAGE, ROLE, STORE = "image-uri", "role-arn", "store-uri"
"""Parameters that this target adds; no identifier has a ``-``, so no parameter of the plan has such a name."""

LONGEST_WORD = 256
"""The most characters that an argument of a command may have."""

LONGEST_SECONDS = 5 * 24 * 3600
"""Seconds after which a job is ended, whatever it asks for."""

DISK_GB = 30
GIB = 1 << 30
MACHINES = (
    ("ml.m5.large", 2, 8, 0),
    ("ml.m5.xlarge", 4, 16, 0),
    ("ml.m5.2xlarge", 8, 32, 0),
    ("ml.m5.4xlarge", 16, 64, 0),
    ("ml.m5.12xlarge", 48, 192, 0),
    ("ml.m5.24xlarge", 96, 384, 0),
    ("ml.g4dn.xlarge", 4, 16, 1),
    ("ml.g4dn.2xlarge", 8, 32, 1),
    ("ml.g4dn.4xlarge", 16, 64, 1),
    ("ml.g4dn.8xlarge", 32, 128, 1),
    ("ml.g4dn.12xlarge", 48, 192, 4),
)
"""What a step may run on, the smallest first: its name, processors, GiB, gpus."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the pipeline, and the schedule where a clock starts it.

    Raises
    ------
    UserError
        A name is no identifier, a step asks for more than a machine has, or SageMaker cannot fire when the
        schedule says.
    """
    identifier(plan.package, "package")
    names = labels(identifier(step.name, "step") for step in plan.steps)
    ours = {IMAGE: f"{label(plan.package)}:1", STORE: f"s3://BUCKET/{label(plan.package)}"}
    texts = {_parameter(p.name): parameters.text(p.default) for p in _settable(plan)}
    pipeline = {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            {"Name": ROLE, "Type": "String"},
            *({"Name": name, "Type": "String", "DefaultValue": text} for name, text in {**ours, **texts}.items()),
        ],
        "Steps": [_step(plan, step, names) for step in plan.steps],
    }
    files = {"pipeline": pipeline, **_schedule(plan)}
    return {f"sagemaker/{file}.json": json.dumps(found, indent=2) + "\n" for file, found in files.items()}


def settable(parameter: Parameter) -> bool:
    """Return whether a parameter's default fits into an argument of a command; another keeps the pipeline's own."""
    if not parameters.settable(parameter):
        return False
    return len(f"{parameter.name}={parameters.text(parameter.default)}") <= LONGEST_WORD


def _settable(plan: Plan) -> list[Parameter]:
    return [parameter for parameter in parameters.overridable(plan) if settable(parameter)]


def _parameter(name: str) -> str:
    return name if name.isascii() else label(name)


def _get(name: str) -> dict[str, str]:
    return {"Get": f"Parameters.{name}"}


def _step(plan: Plan, step: PlanStep, names: Mapping[str, str]) -> dict[str, Any]:
    given = [
        word
        for parameter in _settable(plan)
        for word in ("-p", {"Std:Join": {"On": "=", "Values": [parameter.name, _get(_parameter(parameter.name))]}})
    ]
    run = {"Get": "Execution.PipelineExecutionId"}
    wishes = step.resources
    seconds = min(math.ceil(wishes.timeout_seconds or LONGEST_SECONDS), LONGEST_SECONDS)
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": _machine(step.name, wishes),
                "InstanceCount": 1,
                "VolumeSizeInGB": DISK_GB,
            }
        },
        "AppSpecification": {
            "ImageUri": _get(IMAGE),
            "ContainerEntrypoint": ["python", "-m", plan.package],
            "ContainerArguments": ["step", step.name, "--store", _get(STORE), "--run", run, *given],
        },
        "RoleArn": _get(ROLE),
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
    }
    before = {"DependsOn": [names[other] for other in step.upstream]} if step.upstream else {}
    return {"Name": names[step.name], "Type": "Processing", "Arguments": arguments, **before}


def _machine(step: str, wishes: Resources) -> str:
    cpu, size, gpu = wishes.cpu or 0, wishes.memory_bytes or 0, wishes.gpu or 0
    for machine, processors, gib, gpus in MACHINES:
        if cpu <= processors and size <= gib * GIB and gpu <= gpus and bool(gpu) == bool(gpus):
            return machine
    raise UserError(
        f"step {step!r} asks for {cpu:g} cpu, {size / GIB:g} GiB and {gpu} gpu, and none of SageMaker's machines that "
        f"are chosen from has that: ask for less"
    )


def _schedule(plan: Plan) -> dict[str, Any]:
    """Return the schedule for EventBridge Scheduler, {} for none; a tick that the clocks skip or repeat is refused."""
    when = _when(plan.schedule)
    if not when:
        return {}
    target = {
        "Arn": f"arn:aws:sagemaker:REGION:ACCOUNT:pipeline/{label(plan.package)}",
        "RoleArn": "arn:aws:iam::ACCOUNT:role/ROLE",
        "SageMakerPipelineParameters": {
            "PipelineParameterList": [{"Name": ROLE, "Value": "arn:aws:iam::ACCOUNT:role/ROLE"}]
        },
    }
    window = {"FlexibleTimeWindow": {"Mode": "OFF"}}
    return {"schedule": {"Name": label(plan.package), **when, **window, "Target": target}}


def _when(schedule: ScheduleSpec | None) -> dict[str, str]:
    if schedule and schedule.every_seconds:
        return {"ScheduleExpression": f"rate({count_of(minutes(schedule, title), 'minute')})"}
    if schedule and schedule.cron:
        fields, place = utc_or_zone(schedule, title)
        return {"ScheduleExpression": f"cron({with_years(fields, title)})", "ScheduleExpressionTimezone": place}
    return {}


def deploy(plan: Plan) -> str:
    """Return how to bring the pipeline to SageMaker."""
    called = label(plan.package)
    clock = "aws scheduler create-schedule --cli-input-json file://sagemaker/schedule.json\n"
    return f"""\
Build the image with what reaches S3, and write your account, region, role and bucket into the files:

```sh
docker build -t {called} .
docker build -t ACCOUNT.dkr.ecr.REGION.amazonaws.com/{called}:1 - <<'END'
FROM {called}
USER root
RUN pip --python {PYTHON} install s3fs
USER runner
END
docker push ACCOUNT.dkr.ecr.REGION.amazonaws.com/{called}:1
sed -i 's#{called}:1#ACCOUNT.dkr.ecr.REGION.amazonaws.com/{called}:1#; s#s3://BUCKET/#s3://your-bucket/#' \\
  sagemaker/pipeline.json
aws sagemaker create-pipeline --pipeline-name {called} --role-arn arn:aws:iam::ACCOUNT:role/ROLE \\
  --pipeline-definition file://sagemaker/pipeline.json
aws sagemaker start-pipeline-execution --pipeline-name {called} \\
  --pipeline-parameters Name={ROLE},Value=arn:aws:iam::ACCOUNT:role/ROLE
{clock if _when(plan.schedule) else ""}```

The role is one that SageMaker and the scheduler may take, and that may read and write the bucket. Parameters are JSON.
A run that is still under way does not keep the next one from starting.
{parameters.unsettable(plan, title, settable)}"""
