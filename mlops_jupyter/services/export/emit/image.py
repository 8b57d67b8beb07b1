"""The bundle's image, as its Dockerfile makes it: what the targets that run it have to know."""

from __future__ import annotations

import math

from mlops_jupyter.core.plan import INITIAL, Plan, Resources
from mlops_jupyter.runtime.model.pipeline import FILE
from mlops_jupyter.services.export.emit.backoff import longest_run
from mlops_jupyter.services.export.emit.dns_labels import label

STORE = "/store"
"""Where runs and artifacts are kept in it: a volume, so that they stay."""

DATA = "/data"
"""Where newer data files lie in it, for pipelines that read files; those that are not there are the image's own."""

USER = 10001
"""Who runs in it: nobody else's number, and never root's."""

PYTHON = "/venv/bin/python"
"""Its interpreter, with the locked packages."""

AROUND_SECONDS = 600
"""What a run may take beside its steps, the pull of the image included."""


def reads_files(plan: Plan) -> bool:
    """Whether the pipeline takes data files that no step of it writes."""
    return any(
        variable.startswith(FILE) and maker == INITIAL for step in plan.steps for variable, maker in step.inputs.items()
    )


def volumes(plan: Plan) -> dict[str, str]:
    """Return what to mount: name -> folder in the image."""
    return {"store": STORE, **({"data": DATA} if reads_files(plan) else {})}


def places(plan: Plan, store: str = STORE) -> list[str]:
    """Return the words of a command that say where things are kept."""
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
    """Return the words that run the whole pipeline in one container.

    A container that has what the largest step asks for runs the steps one after another, so that each has it.
    """
    alone = ["--jobs", "1"] if largest(plan) != Resources() else []
    return ["run", *places(plan), *alone, *(["--alert", plan.alert] if plan.alert else [])]


def beside(plan: Plan, tool: str, packages: str, lines: str, context: str = "") -> str:
    """Return commands that build the image, and one above it with a system's own packages in an environment beside it.

    S3 is what their examples keep the store in, so that the steps get what reaches it.

    Parameters
    ----------
    tool : names the environment, `/opt/TOOL`, whose programs come first.
    packages : what pip installs into that.
    lines : what else the second recipe says.
    context : a folder of the bundle that it copies from; "" for none. The bundle as a whole hides all but its own.
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
    """Return the seconds that a run in a container can take at most; None if some step may take as long as it likes."""
    seconds = longest_run(plan)
    return None if seconds is None else math.ceil(seconds) + AROUND_SECONDS
