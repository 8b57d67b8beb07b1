"""The pages of a bundle that people read: its README and its Dockerfile."""

from __future__ import annotations

import json
from collections.abc import Iterable
from shlex import quote

from mlops_jupyter.core.hidden_names import HIDDEN
from mlops_jupyter.core.plan import Plan, PlanStep
from mlops_jupyter.runtime.cli.parameters import format_value
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.image import STORE, USER
from mlops_jupyter.services.export.targets import Target, lost


def readme(plan: Plan, targets: Iterable[Target]) -> str:
    """Return README.md: what the pipeline is, how to run it, how to deploy it, what capture was not sure of."""
    title = " ".join(plan.name.split())
    parts = [
        f"# {title}",
        "Made from a notebook. It needs neither Jupyter nor the tool that made it.",
        _run(plan),
        "## Steps\n\n| step | takes | gives | parameters |\n|---|---|---|---|\n" + "\n".join(map(_row, plan.steps)),
    ]
    if plan.schedule:
        parts.append(f"Schedule: {plan.schedule.shown}.")
    parts += filter(None, (_target(plan, target) for target in targets))
    notes = [f"* `{step.name}`: {note}" for step in plan.steps for note in step.notes] + [f"* {n}" for n in plan.notes]
    if notes:
        parts.append("## Notes of the export\n\n" + "\n".join(dict.fromkeys(notes)))
    return "\n\n".join(parts) + "\n"


def _run(plan: Plan) -> str:
    needed = ", ".join(f"`{name}`" for name in plan.secrets if name != plan.alert)
    secrets = f"\n\nThe steps read these environment variables, whose values are secrets: {needed}." if needed else ""
    options = "".join(f" -p {quote(f'{p.name}={format_value(p.default)}')}" for p in plan.parameters[:2])
    return (
        "## Run\n\n```sh\n"
        "python -m venv .venv && .venv/bin/pip install -r requirements.lock\n"
        f"PYTHONPATH=src .venv/bin/python -m {plan.package} run --store out{options}\n"
        "```\n\n"
        "The values it delivers lie in `out/<run>/outputs/`, with `outputs.json` as their index. "
        f"`python -m {plan.package} check --store out --run <run>` compares them with the notebook's own, "
        "and `tests/test_reproduces.py` does both. Data files are read from the copy in here, or from `--data DIR`."
        f"{secrets}"
    )


def _target(plan: Plan, target: Target) -> str:
    """Return the README's section on a target: how to deploy, and what of the plan it cannot express; "" for none."""
    page = target.deploy(plan).strip()
    if not page:
        return ""
    missing = "".join(f"* {line}\n" for line in lost(plan, target))
    limits = (
        f"\n\nWhat {target.title} has no word for, and these files do not do:\n\n{missing}".rstrip() if missing else ""
    )
    return f"## {target.title}\n\n{page}{limits}"


def _row(step: PlanStep) -> str:
    takes = ", ".join(f"`{n}`" for n in step.inputs if not n.startswith(HIDDEN)) or "–"
    gives = ", ".join(f"`{n}`" for g in step.outputs for n in g if not n.startswith(HIDDEN)) or "–"
    return f"| `{step.name}` | {takes} | {gives} | {', '.join(f'`{p}`' for p in step.parameters) or '–'} |"


def dockerfile(plan: Plan) -> str:
    """Return the Dockerfile of a small image: the locked packages without pip, the steps, a user without root's rights.

    Every bundle has it, whatever its targets: those that run the steps in the bundle's image share this one.
    """
    base = f"python:{plan.environment.python}-slim-bookworm"
    return f"""\
# The pipeline with its locked packages: docker build -t {label(plan.package)} .
# To pin the base by its content: --build-arg BASE={base}@sha256:...
ARG BASE={base}

# The packages, in a layer that stays as long as the lock does.
FROM ${{BASE}} AS packages
COPY requirements.lock /
RUN python -m venv --without-pip /venv && pip --python /venv/bin/python install --no-cache-dir -r /requirements.lock

FROM ${{BASE}}
RUN useradd --uid {USER} --create-home runner && install -d -o runner {STORE}
COPY --from=packages /venv /venv
WORKDIR /app
COPY tests/expected tests/expected
COPY src src
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app/src PYTHONUNBUFFERED=1
USER {USER}
ENTRYPOINT ["python", "-m", {json.dumps(plan.package)}]
CMD ["run", "--store", "{STORE}"]
"""


IGNORED = "*\n!requirements.lock\n!src\n!tests/expected\n**/__pycache__\n"
"""The text of `.dockerignore`: Docker sees only the files that the Dockerfile copies."""
