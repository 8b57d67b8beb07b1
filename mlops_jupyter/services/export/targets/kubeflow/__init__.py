"""Kubeflow Pipelines 2: `kubeflow/<package>.yaml`, in which each step is a container of the bundle's image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.plan import Plan, Resources, ScheduleSpec
from mlops_jupyter.services.cron.portable import utc_or_zone
from mlops_jupyter.services.export.emit import kfp
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.image import USER
from mlops_jupyter.services.export.emit.parameters import unsettable
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "kubeflow"
title = "Kubeflow Pipelines 2"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
        Feature.CATCHUP,
        Feature.CONCURRENCY,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.CPU,
        Feature.MEMORY,
        Feature.GPU,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

STORE = "/store"
"""The folder of the volume in each task; the bundle's image makes this folder."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the pipeline: its first document is what any Kubeflow runs, its second is for Kubernetes.

    Raises
    ------
    UserError
        A name is no identifier, or Kubeflow cannot fire when the schedule says.
    """
    spec = kfp.pipeline(plan, STORE, accelerator="nvidia.com/gpu")
    if plan.schedule:
        clock(plan.schedule)
    executors = {
        executor: _kubernetes(plan, wishes)
        for executor, wishes in zip(spec["deploymentSpec"]["executors"], _wishes(plan), strict=True)
    }
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    return {f"kubeflow/{plan.package}.yaml": documents(spec, platform, ascii_only=True), **kfp.task(plan)}


def _wishes(plan: Plan) -> list[Resources]:
    return [*(step.resources for step in plan.steps), *([Resources()] if plan.alert else [])]


def _kubernetes(plan: Plan, wishes: Resources) -> dict[str, Any]:
    claim = f"{label(plan.package)}-store"
    settings: dict[str, Any] = {
        "pvcMount": [{"constant": claim, "mountPath": STORE, "pvcNameParameter": _constant(claim)}]
    }
    if plan.secrets:
        secret = label(plan.package)
        settings["secretAsEnv"] = [
            {
                "secretName": secret,
                "secretNameParameter": _constant(secret),
                "keyToEnv": [{"secretKey": key, "envVar": key} for key in plan.secrets],
                "optional": False,
            }
        ]
    if wishes.timeout_seconds:  # of a pod, and each try has its own
        settings["activeDeadlineSeconds"] = str(math.ceil(wishes.timeout_seconds))
    return settings


def _constant(value: str) -> dict[str, Any]:
    return {"runtimeValue": {"constant": value}}


def clock(schedule: ScheduleSpec) -> tuple[str, str]:
    """Return the six fields (seconds first) of a cron schedule ("" for others), and the time zone of Kubeflow's clock.

    By default that clock is in UTC; so a cron that can be written in UTC is.
    """
    if not schedule.cron:
        return "", "UTC"
    fields, place = utc_or_zone(schedule, title)
    return f"0 {fields}", place


def deploy(plan: Plan) -> str:
    """Return how to bring the pipeline to a Kubeflow that runs."""
    called, file = label(plan.package), f"kubeflow/{plan.package}.yaml"
    parts = [
        f"""\
Tested with kfp 2.17. Build the image, and write its address into the pipeline:

```sh
docker build -t REGISTRY/{called}:1 . && docker push REGISTRY/{called}:1
sed -i 's#image: {kfp.image(plan)}#image: REGISTRY/{called}:1#' {file}
```

Runs and artifacts are kept on a volume that all tasks mount at `{STORE}` (user {USER} must be able to write there):

```sh
kubectl apply -n kubeflow -f - <<'END'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {called}-store}}
spec: {{accessModes: [ReadWriteMany], resources: {{requests: {{storage: 10Gi}}}}}}
END
```""",
        _secret(plan),
        f"""\
Run it (the page "Create run" asks for parameters, `store-uri` and `data-folder`):

```sh
kfp run create --experiment-name {called} --run-name {called} --package-file {file}
```""",
        _recurring(plan),
        f"""\
Without a cluster, in this folder:

```sh
pip install kfp==2.17.0
python -c "from kfp import components, local; local.init(local.SubprocessRunner(use_venv=False)); \
components.load_component_from_file('{file}')(**{{'store-uri': 'out'}})"
```""",
    ]
    parts.append(unsettable(plan, title, kfp.settable).strip())
    return "\n\n".join(filter(None, parts)) + "\n"


def _secret(plan: Plan) -> str:
    if not plan.secrets:
        return ""
    words = " ".join(f"--from-literal={secret}=..." for secret in plan.secrets)
    return (
        "What the steps read from secrets:\n\n```sh\n"
        f"kubectl create secret generic {label(plan.package)} -n kubeflow {words}\n```"
    )


def _recurring(plan: Plan) -> str:
    schedule = plan.schedule
    if not schedule or not (schedule.cron or schedule.every_seconds):
        return ""
    called = label(plan.package)
    cron, place = clock(schedule)
    when = f"--cron-expression '{cron}'" if cron else f"--interval-second {schedule.every_seconds}"
    start = f" --start-time {schedule.start}T00:00:00Z" if schedule.catchup else ""
    text = (
        "Run it on time:\n\n```sh\n"
        f"kfp recurring-run create --job-name {called} --experiment-name {called} {when} --enabled "
        f"--max-concurrency {schedule.concurrency} --{'' if schedule.catchup else 'no-'}catchup{start} "
        f"--pipeline-package-path kubeflow/{plan.package}.yaml\n```"
    )
    if place == "UTC":
        return text
    return (
        "Kubeflow has one clock for all recurring runs, in UTC unless it is set (older releases know UTC alone). "
        f"This one goes by that of {place}:\n\n"
        "```sh\nkubectl set env -n kubeflow deployment/ml-pipeline-scheduledworkflow "
        f"CRON_SCHEDULE_TIMEZONE={place}\n```\n\n{text}"
    )
