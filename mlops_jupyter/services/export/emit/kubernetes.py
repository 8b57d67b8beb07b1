"""A plan in the words of Kubernetes, which Argo speaks too: names, quantities, containers, claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan, Resources, ScheduleSpec
from mlops_jupyter.services.cron import dst, portable
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.image import DATA, USER, volumes

POD: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,  # makes a fresh volume one that the user may write
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The security context of a pod."""

CONTAINER: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""The security context of a container."""


NOTHING = Resources()


def timed(schedule: ScheduleSpec | None, system: str) -> tuple[str, str] | None:
    """Return the cron and the time zone of a schedule, as `portable.cron_and_zone` does, for systems on robfig/cron.

    That library walks hours by the time that passes, and looks at the day again when it comes to hour 0. So after a
    change of the clocks by half an hour it comes to the next day at half past, and what falls due before that is lost;
    and a day without a midnight is taken for the day before.

    Raises
    ------
    UserError
        The system, which the message names, cannot fire at the times of the schedule.
    """
    cron_and_zone = portable.cron_and_zone(schedule, system)
    if cron_and_zone is None or cron_and_zone[0].split()[1] == "*":
        return cron_and_zone
    expression, place = cron_and_zone
    if len({minutes % 60 for minutes in dst.utc_offsets(place)}) > 1:
        raise UserError(
            f"the clocks of {place} change by less than an hour, and {system} then loses ticks: "
            f"give the schedule in UTC"
        )
    if day := dst.carried_over(expression, place):
        raise UserError(
            f"{day} has no midnight in {place}, and {system} would fire on that day too: give the schedule in UTC"
        )
    return cron_and_zone


def quantity(number: float) -> str:
    """Return a number of processors as a quantity of Kubernetes.

    Examples
    --------
    >>> quantity(2), quantity(0.5)
    ('2', '500m')
    """
    return str(int(number)) if number == int(number) else f"{round(number * 1000)}m"


def memory(size: int) -> str:
    """Return a number of bytes as a quantity of Kubernetes.

    Examples
    --------
    >>> memory(1 << 30), memory(1500 << 20), memory(1000)
    ('1Gi', '1500Mi', '1000')
    """
    for unit, bits in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if size % (1 << bits) == 0:
            return f"{size >> bits}{unit}"
    return str(size)


def resources(wishes: Resources) -> dict[str, dict[str, str]]:
    """Return a container's requests and limits. Memory is also limited: more would be taken from others."""
    requests = {
        "cpu": wishes.cpu and quantity(wishes.cpu),
        "memory": wishes.memory_bytes and memory(wishes.memory_bytes),
    }
    limits = {"memory": requests["memory"], "nvidia.com/gpu": wishes.gpu and str(wishes.gpu)}
    kinds = {"requests": requests, "limits": limits}
    given = {kind: {name: value for name, value in values.items() if value} for kind, values in kinds.items()}
    return {kind: values for kind, values in given.items() if values}


def container(
    plan: Plan, image: str, words: Sequence[str], wishes: Resources = NOTHING, env: Sequence[Any] = ()
) -> dict[str, Any]:
    """Return a container that runs the bundle's command.

    Parameters
    ----------
    words : arguments after ``python -m <package>``.
    env : variables beside the secrets, in the form of Kubernetes.
    """
    secret = label(plan.package)
    secrets = [{"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}} for name in plan.secrets]
    requests_and_limits = resources(wishes)
    return {
        "image": image,
        "command": ["python", "-m", plan.package],
        "args": list(words),
        **({"env": [*secrets, *env]} if secrets or env else {}),
        **({"resources": requests_and_limits} if requests_and_limits else {}),
        "volumeMounts": [
            {"name": name, "mountPath": folder, **({"readOnly": True} if folder == DATA else {})}
            for name, folder in volumes(plan).items()
        ],
        "securityContext": CONTAINER,
    }


def mounted(plan: Plan, prefix: str) -> list[dict[str, Any]]:
    """Return a pod's volumes, each for one of the `claims`."""
    return [{"name": name, "persistentVolumeClaim": {"claimName": f"{prefix}-{name}"}} for name in volumes(plan)]


def claims(plan: Plan, prefix: str, several: bool) -> list[dict[str, Any]]:
    """Return the claims for the volumes.

    Parameters
    ----------
    prefix : first part of the claims' names.
    several : whether pods on several machines write to a volume at once.
    """
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": f"{prefix}-{name}"},
            "spec": {
                "accessModes": ["ReadWriteMany" if several else "ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}},
            },
        }
        for name in volumes(plan)
    ]
