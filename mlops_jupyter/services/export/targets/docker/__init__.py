"""Docker Compose: `compose.yaml`, which runs the bundle's image; the Dockerfile itself is in every bundle."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.plan import Plan
from mlops_jupyter.services.export.emit import image
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.parameters import passed
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "docker"
title = "Docker"
expresses = frozenset(
    {
        Feature.PARAMETERS,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.GPU,
        Feature.SECRETS,
        Feature.ALERT,
    }
)


def render(plan: Plan) -> Mapping[str, str]:
    """Return the compose file: one service that runs the pipeline and ends.

    Raises
    ------
    UserError
        A name is no identifier.
    """
    service = label(identifier(plan.package, "package"))
    for step in plan.steps:
        identifier(step.name, "step")
    passed(plan)
    mounts = ["store:" + image.STORE, *(["./data:" + image.DATA + ":ro"] if image.reads_files(plan) else [])]
    facts: dict[str, Any] = {
        "build": ".",
        "image": service,
        "command": image.run(plan),
        "init": True,
        "restart": "no",  # steps are tried again within a run; a run that failed is for people to look at
        **_secrets(plan),
        "volumes": mounts,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }
    gpu = image.largest(plan).gpu
    if gpu:
        devices = [{"driver": "nvidia", "count": gpu, "capabilities": ["gpu"]}]
        facts["deploy"] = {"resources": {"reservations": {"devices": devices}}}
    return {"compose.yaml": documents({"services": {service: facts}, "volumes": {"store": {}}})}


def _secrets(plan: Plan) -> dict[str, Any]:
    """Return the environment of secrets: Compose takes each from the shell or from `.env`, and refuses an unset one."""
    found = {name: f"${{{name}:?set it in the shell or in .env}}" for name in plan.secrets}
    return {"environment": found} if found else {}


def deploy(plan: Plan) -> str:
    """Return how to build the image and run it."""
    service = label(plan.package)
    first = [f"{name}={text}" for name, text in passed(plan).items()][:1]
    words = shlex.join([*image.run(plan), *(["-p", *first] if first else [])])
    secrets = ", ".join(f"`{name}`" for name in plan.secrets)
    setup = f"Set {secrets} in the shell, or in a file `.env` here; neither git nor the image takes that. Then:\n\n"
    files = "\nNewer data files are read from the folder `data` here, under the names that they have in the bundle.\n"
    return f"""\
{setup if secrets else ""}```sh
docker compose build
docker compose run --rm {service}
docker compose run --rm {service} {words}
docker compose run --rm {service} check --store {image.STORE} --run RUN
```

The image runs as user {image.USER} and holds the locked packages, the steps and the copies of their data. What runs
make lies in the volume `store`. Compose starts nothing by the clock.
{files if image.reads_files(plan) else ""}"""
