"""A plan in the words of Kubernetes, which Argo speaks too: names, quantities, containers, claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan, Resources, Schedule
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
"""Who a pod is."""

CONTAINER: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""What a container may do."""


NOTHING = Resources()


def timed(schedule: Schedule | None, system: str) -> tuple[str, str] | None:
    """Return what `portable.cron_and_zone` does, for systems on robfig/cron.

    That library walks hours by the time that passes, and looks at the day again when it comes to hour 0. So after a
    change of the clocks by half an hour it comes to the next day at half past, and what falls due before that is lost;
    and a day without a midnight is taken for the day before.

    Raises
    ------
    UserError
        The system (named in the line) cannot fire so.
    """
    found = portable.cron_and_zone(schedule, system)
    if found is None or found[0].split()[1] == "*":
        return found
    expression, place = found
    if len({minutes % 60 for minutes in dst.utc_offsets(place)}) > 1:
        raise UserError(
            f"the clocks of {place} change by less than an hour, and {system} then loses ticks: "
            f"give the schedule in UTC"
        )
    if day := dst.carried_over(expression, place):
        raise UserError(
            f"{day} has no midnight in {place}, and {system} would fire on that day too: give the schedule in UTC"
        )
    return found


def quantity(number: float) -> str:
    """Return processors as Kubernetes counts them.

    Examples
    --------
    >>> quantity(2), quantity(0.5)
    ('2', '500m')
    """
    return str(int(number)) if number == int(number) else f"{round(number * 1000)}m"


def memory(size: int) -> str:
    """Return bytes as Kubernetes writes them.

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
    """Return what a container asks for. Memory is also its limit: more would be taken from others."""
    asked = {"cpu": wishes.cpu and quantity(wishes.cpu), "memory": wishes.memory_bytes and memory(wishes.memory_bytes)}
    limits = {"memory": asked["memory"], "nvidia.com/gpu": wishes.gpu and str(wishes.gpu)}
    found = {"requests": asked, "limits": limits}
    said = {kind: {name: value for name, value in values.items() if value} for kind, values in found.items()}
    return {kind: values for kind, values in said.items() if values}


def container(
    plan: Plan, image: str, words: Sequence[str], wishes: Resources = NOTHING, env: Sequence[Any] = ()
) -> dict[str, Any]:
    """Return a container that runs the bundle's command.

    Parameters
    ----------
    words : what comes after ``python -m <package>``.
    env : variables beside the secrets, as Kubernetes lists them.
    """
    secret = label(plan.package)
    secrets = [{"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}} for name in plan.secrets]
    asked = resources(wishes)
    return {
        "image": image,
        "command": ["python", "-m", plan.package],
        "args": list(words),
        **({"env": [*secrets, *env]} if secrets or env else {}),
        **({"resources": asked} if asked else {}),
        "volumeMounts": [
            {"name": name, "mountPath": folder, **({"readOnly": True} if folder == DATA else {})}
            for name, folder in volumes(plan).items()
        ],
        "securityContext": CONTAINER,
    }


def mounted(plan: Plan, prefix: str) -> list[dict[str, Any]]:
    """Return a pod's volumes, each a claim of `claims`."""
    return [{"name": name, "persistentVolumeClaim": {"claimName": f"{prefix}-{name}"}} for name in volumes(plan)]


def claims(plan: Plan, prefix: str, several: bool) -> list[dict[str, Any]]:
    """Return the claims for the volumes.

    Parameters
    ----------
    prefix : of their names.
    several : whether pods on several machines write to them at once.
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
