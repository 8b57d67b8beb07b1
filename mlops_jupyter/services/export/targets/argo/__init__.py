"""Argo Workflows: `argo/`, a template whose tasks each run one step in the bundle's image, and what starts it.

Nothing goes through a shell: a task is the bundle's command as a list of words, its parameters are workflow parameters
that hold JSON, and all steps of a run name it after the workflow.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.plan import Plan, PlanStep
from mlops_jupyter.services.export.emit import image, kubernetes
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.parameters import passed, unsettable
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "argo"
title = "Argo Workflows 3.6 and later"
expresses = frozenset(Feature) - {Feature.CATCHUP, Feature.DATA, Feature.AFTER, Feature.DRIFT}

API = "argoproj.io/v1alpha1"
IMAGE, STORE = "image-name", "store-uri"
"""Parameters that this target adds; no identifier has a ``-``, so no parameter of the plan has such a name."""

LATE_SECONDS = 3600
"""Seconds after which a missed tick is dropped."""

KEPT = 10
"""Number of finished runs, of those that succeeded and of those that failed, that the cluster still lists."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the files of `argo/`.

    Raises
    ------
    UserError
        A name is no identifier, or Argo cannot fire when the schedule says.
    """
    flow = label(identifier(plan.package, "package"))
    reference = {"workflowTemplateRef": {"name": flow}}
    objects: dict[str, list[dict[str, Any]]] = {
        "volumes": kubernetes.claims(plan, f"{flow}-argo", several=True),
        "workflowtemplate": [_object("WorkflowTemplate", {"name": flow}, _workflow(plan, flow))],
        "workflow": [_object("Workflow", {"generateName": f"{flow}-"}, reference)],
    }
    timed = kubernetes.timed(plan.schedule, "Argo")
    if timed and plan.schedule:
        several = _several(plan)
        facts = {
            "schedules": [timed[0]],
            "timezone": timed[1],
            "concurrencyPolicy": "Allow" if several else "Forbid",
            "startingDeadlineSeconds": LATE_SECONDS,
            "successfulJobsHistoryLimit": KEPT,
            "failedJobsHistoryLimit": KEPT,
            "workflowSpec": reference,
        }
        objects["cronworkflow"] = [_object("CronWorkflow", {"name": flow}, facts)]
        if several:
            limit = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{flow}-argo"}}
            objects["limit"] = [{**limit, "data": {"runs": str(plan.schedule.concurrency)}}]
    return {f"argo/{file}.yaml": documents(*found) for file, found in objects.items()}


def _object(kind: str, metadata: dict[str, str], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def _workflow(plan: Plan, flow: str) -> dict[str, Any]:
    texts = {_parameter(parameter): text for parameter, text in passed(plan).items()}
    parameters = {IMAGE: flow, STORE: image.STORE, **texts}
    semaphore = {"configMapKeyRef": {"name": f"{flow}-argo", "key": "runs"}}
    return {
        "entrypoint": "pipeline",
        **({"onExit": "ended"} if plan.alert else {}),
        "arguments": {"parameters": [{"name": name, "value": text} for name, text in parameters.items()]},
        **({"synchronization": {"semaphores": [semaphore]}} if _several(plan) else {}),
        "securityContext": kubernetes.POD,
        "volumes": kubernetes.mounted(plan, f"{flow}-argo"),
        "templates": [_dag(plan), *(_step(plan, step) for step in plan.steps), *(_alert(plan) if plan.alert else [])],
    }


def _parameter(name: str) -> str:
    return name if name.isascii() else label(name)


def _value(parameter: str) -> str:
    return f"{{{{workflow.parameters.{parameter}}}}}"


def _dag(plan: Plan) -> dict[str, Any]:
    tasks = [
        {
            "name": label(identifier(step.name, "step")),
            "template": f"step-{label(step.name)}",
            **({"depends": " && ".join(map(label, step.upstream))} if step.upstream else {}),
        }
        for step in plan.steps
    ]
    return {"name": "pipeline", "dag": {"tasks": tasks}}


def _step(plan: Plan, step: PlanStep) -> dict[str, Any]:
    given = (word for name in passed(plan) for word in ("-p", f"{name}={_value(_parameter(name))}"))
    words = ["step", step.name, *image.places(plan, _value(STORE)), "--run", "{{workflow.name}}", *given]
    wishes = step.resources
    retries: dict[str, Any] = {"limit": str(wishes.retries), "retryPolicy": "Always"}
    if wishes.backoff_seconds:
        retries["backoff"] = {"duration": f"{round(wishes.backoff_seconds * 1000)}ms", "factor": "2"}
    return {
        "name": f"step-{label(step.name)}",
        **({"retryStrategy": retries} if wishes.retries else {}),
        **({"activeDeadlineSeconds": math.ceil(wishes.timeout_seconds)} if wishes.timeout_seconds else {}),
        "container": kubernetes.container(plan, _value(IMAGE), words, wishes),
    }


def _alert(plan: Plan) -> list[dict[str, Any]]:
    """Return the templates that send an alert at the end of a run that did not succeed."""
    words = ["alert", "--store", _value(STORE), "--run", "{{workflow.name}}", "--to", plan.alert]
    when = "{{workflow.status}} != Succeeded"
    return [
        {"name": "ended", "steps": [[{"name": "alert", "template": "alert", "when": when}]]},
        {"name": "alert", "container": kubernetes.container(plan, _value(IMAGE), words)},
    ]


def deploy(plan: Plan) -> str:
    """Return how to bring the pipeline to a cluster with Argo Workflows."""
    flow, first = label(plan.package), next(iter(passed(plan).items()), None)
    given = f" -p {shlex.quote(f'{_parameter(first[0])}={first[1]}')}" if first else ""
    secrets = f"kubectl create secret generic {flow} --from-env-file=.env  # {', '.join(plan.secrets)}\n"
    return f"""\
```sh
docker build -t REGISTRY/{flow}:1 . && docker push REGISTRY/{flow}:1
{secrets if plan.secrets else ""}kubectl apply -f argo/volumes.yaml{" -f argo/limit.yaml" if _several(plan) else ""}
argo template create argo/workflowtemplate.yaml
argo submit --from workflowtemplate/{flow} -p image-name=REGISTRY/{flow}:1{given} --watch
```

Write the image's name into `image-name` in `argo/workflowtemplate.yaml`, so that runs by the clock find it. `store-uri`
may be an address that fsspec knows, if the image has its package; the volume has to be one that several machines write.
Parameters are JSON; Kubernetes and Argo read `$$`, `$(NAME)` and `{{{{name}}}}` in what is given by hand: there write
`\\u0024` for `$` and `\\u007b` for `{{`, as the template does.
{_clock(plan)}{unsettable(plan, title)}"""


def _several(plan: Plan) -> bool:
    return plan.schedule is not None and plan.schedule.concurrency > 1


def _clock(plan: Plan) -> str:
    if not (plan.schedule and (plan.schedule.cron or plan.schedule.every_seconds)):
        return ""
    return f"""
```sh
argo cron create argo/cronworkflow.yaml
argo cron suspend {label(plan.package)}  # and `resume`
```
"""
