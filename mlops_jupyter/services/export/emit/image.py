"""The bundle's image, as its Dockerfile builds it: its folders, user, command and limits, for targets that run it."""

from __future__ import annotations

import math

from mlops_jupyter.core.plan import Plan, Resources
from mlops_jupyter.runtime.model.pipeline import data_files
from mlops_jupyter.services.export.emit.backoff import longest_run
from mlops_jupyter.services.export.emit.dns_labels import label

STORE = "/store"
"""The image's folder for runs and artifacts: a volume, so that they stay."""

DATA = "/data"
"""The image's folder for newer data files; a file that is not there is read from the copy in the image."""

USER = 10001
"""The id of the image's user: no other user's, and never root's."""

PYTHON = "/venv/bin/python"
"""The image's interpreter, with the locked packages."""

AROUND_SECONDS = 600
"""Seconds that a run may take beside its steps, the pull of the image included."""


def reads_files(plan: Plan) -> bool:
    """Return whether the pipeline takes data files that none of its steps writes."""
    return any(data_files(step.inputs) for step in plan.steps)


def volumes(plan: Plan) -> dict[str, str]:
    """Return the volumes to mount: name -> folder in the image."""
    return {"store": STORE, **({"data": DATA} if reads_files(plan) else {})}


def places(plan: Plan, store: str = STORE) -> list[str]:
    """Return the arguments of a command that name the store and, if the pipeline reads files, the data folder."""
    return ["--store", store, *(["--data", DATA] if reads_files(plan) else [])]


def largest(plan: Plan) -> Resources:
    """Return the most of cpu, memory and gpu that any one step asks for; None where none asks."""
    wishes = [step.resources for step in plan.steps]
    return Resources(
        cpu=max((wish.cpu or 0 for wish in wishes), default=0) or None,
        memory_bytes=max((wish.memory_bytes or 0 for wish in wishes), default=0) or None,
        gpu=max((wish.gpu or 0 for wish in wishes), default=0) or None,
    )


def run(plan: Plan) -> list[str]:
    """Return the arguments of the command that runs the whole pipeline in one container.

    A container that has what the largest step asks for runs the steps one after another, so that each has it.
    """
    alone = ["--jobs", "1"] if largest(plan) != Resources() else []
    return ["run", *places(plan), *alone, *(["--alert", plan.alert] if plan.alert else [])]


def beside(plan: Plan, tool: str, packages: str, lines: str, context: str = "") -> str:
    """Return commands that build the image, and one on top with a system's packages in an environment of their own.

    The READMEs' examples keep the store in S3, so the steps' environment gets the package that reaches S3.

    Parameters
    ----------
    tool : name of the environment, `/opt/TOOL`, whose programs come first in PATH.
    packages : packages that pip installs into that environment.
    lines : further lines of the second Dockerfile.
    context : a folder of the bundle that the second Dockerfile copies from; "" for none. (Not the bundle itself, whose
        `.dockerignore` hides all but what the first copies.)
    """
    name = label(plan.package)
    return f"""\
docker build -t {name} .
docker build -t REGISTRY/{name}:1 {f"-f - {context}" if context else "-"} <<'END'
FROM {name}
USER root
RUN pip --python {PYTHON} install s3fs && python -m venv /opt/{tool} && /opt/{tool}/bin/pip install {packages}
ENV PATH=/opt/{tool}/bin:$PATH
{lines}
USER runner
ENTRYPOINT []
END
docker push REGISTRY/{name}:1
"""


def longest(plan: Plan) -> int | None:
    """Return the most seconds that a run in a container can take; None if a step has no time limit."""
    seconds = longest_run(plan)
    return None if seconds is None else math.ceil(seconds) + AROUND_SECONDS
