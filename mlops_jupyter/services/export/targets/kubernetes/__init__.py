"""Kubernetes: `k8s/`, a cron job (or a job) that runs the whole pipeline in the bundle's image, and what it needs.

Parameters lie in a config map and reach the command as variables, which Kubernetes puts in as they are; secrets are
named, never written. A run is named after its job, so a pod that was lost with its machine is gone on with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.plan import Plan
from mlops_jupyter.services.export.emit import image, kubernetes
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.parameters import passed, unsettable
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "kubernetes"
title = "Kubernetes 1.31 and later"
expresses = frozenset(
    {
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
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

LATE_SECONDS = 3600
"""Seconds after which a missed tick is dropped."""

LOST_PODS = 3
"""Number of pods that are started again after one that ended without an exit code of the pipeline."""

PIPELINE_FAILED = [1, 2]
"""Exit codes of a pipeline that failed: its steps have had all their retries, so the job fails for good."""

KEPT = 10
"""Number of finished jobs, of those that succeeded and of those that failed, that the cluster still lists."""

JOB_NAME = "metadata.labels['batch.kubernetes.io/job-name']"


def render(plan: Plan) -> Mapping[str, str]:
    """Return the files of `k8s/`.

    Raises
    ------
    UserError
        A name is no identifier, or Kubernetes cannot fire when the schedule says.
    """
    flow = label(identifier(plan.package, "package"))
    for step in plan.steps:
        identifier(step.name, "step")
    timed = kubernetes.timed(plan.schedule, "Kubernetes")
    objects: dict[str, list[dict[str, Any]]] = {"volumes": kubernetes.claims(plan, flow, several=False)}
    if passed(plan):
        objects["parameters"] = [{**_object("v1", "ConfigMap", flow), "data": _parameters(plan)}]
    if timed:
        objects["cronjob"] = [{**_object("batch/v1", "CronJob", flow), "spec": _cronjob(plan, timed)}]
    else:
        objects["job"] = [{**_object("batch/v1", "Job", flow), "spec": _job(plan)}]
    objects["kustomization"] = [
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [f"{file}.yaml" for file in objects],
            "images": [{"name": flow, "newName": flow, "newTag": "latest"}],
        }
    ]
    objects["argocd/application"] = [_application(flow)]
    return {f"k8s/{file}.yaml": documents(*found) for file, found in objects.items()}


def _object(api: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}}


def _parameters(plan: Plan) -> dict[str, str]:
    return {_key(parameter): text for parameter, text in passed(plan).items()}


def _key(parameter: str) -> str:
    return parameter if parameter.isascii() else label(parameter)


def _variable(parameter: str) -> str:
    """Return the variable that brings a parameter into the command; no secret has such a name, as none has a dot."""
    return f"parameter.{_key(parameter)}"


def _cronjob(plan: Plan, timed: tuple[str, str]) -> dict[str, Any]:
    return {
        "schedule": timed[0],
        "timeZone": timed[1],
        # One at a time: Kubernetes knows no other number, and this is never more than what is asked.
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": LATE_SECONDS,
        "successfulJobsHistoryLimit": KEPT,
        "failedJobsHistoryLimit": KEPT,
        "jobTemplate": {"spec": _job(plan)},
    }


def _job(plan: Plan) -> dict[str, Any]:
    longest = image.longest(plan)
    failed = {"containerName": "pipeline", "operator": "In", "values": PIPELINE_FAILED}
    return {
        "backoffLimit": LOST_PODS,
        "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": failed}]},
        **({"activeDeadlineSeconds": longest} if longest else {}),
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "securityContext": kubernetes.POD,
                "containers": [{"name": "pipeline", **_container(plan)}],
                "volumes": kubernetes.mounted(plan, label(plan.package)),
            }
        },
    }


def _container(plan: Plan) -> dict[str, Any]:
    config = label(plan.package)
    env: list[dict[str, Any]] = [{"name": "job.name", "valueFrom": {"fieldRef": {"fieldPath": JOB_NAME}}}]
    words = [*image.run(plan), "--run", "$(job.name)"]
    for parameter in passed(plan):
        reference = {"configMapKeyRef": {"name": config, "key": _key(parameter)}}
        env.append({"name": _variable(parameter), "valueFrom": reference})
        words += ["-p", f"{parameter}=$({_variable(parameter)})"]
    return kubernetes.container(plan, config, words, image.largest(plan), env)


def _application(flow: str) -> dict[str, Any]:
    """Return the application that Argo CD follows: the folder of these files in a repository that a person names."""
    return {
        **_object("argoproj.io/v1alpha1", "Application", flow),
        "spec": {
            "project": "default",
            "source": {"repoURL": "REPOSITORY", "targetRevision": "HEAD", "path": "k8s"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": flow},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
    }


def deploy(plan: Plan) -> str:
    """Return how to bring the pipeline to a cluster."""
    flow = label(plan.package)
    secrets = f"kubectl create secret generic {flow} --from-env-file=.env  # {', '.join(plan.secrets)}\n"
    timed = plan.schedule is not None and bool(plan.schedule.cron or plan.schedule.every_seconds)
    again = f"kubectl create job {flow}-now --from=cronjob/{flow}" if timed else "kubectl replace --force -k k8s"
    parameters = " Parameters are JSON, in `k8s/parameters.yaml`."
    return f"""\
Write the image's name into `images` in `k8s/kustomization.yaml`, then:

```sh
docker build -t REGISTRY/{flow}:1 . && docker push REGISTRY/{flow}:1
{secrets if plan.secrets else ""}kubectl apply -k k8s
{again}
```

What runs make lies in the claim `{flow}-store`.{parameters if passed(plan) else ""}

With Argo CD: commit the bundle's files, write its repository and the path of `k8s` there into
`k8s/argocd/application.yaml`, and (secrets then belong in the namespace `{flow}`):

```sh
kubectl apply -n argocd -f k8s/argocd/application.yaml
```
{unsettable(plan, title)}"""
