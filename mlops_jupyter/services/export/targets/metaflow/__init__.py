"""Metaflow: `flow.py`, in which each step is a Metaflow step that runs the bundle's own command.

Metaflow's flows split and join; a pipeline's steps form any graph without cycles. So those steps that the same number
of others must come before run side by side, and those after wait for all of them: every edge is kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import with_years
from mlops_jupyter.services.cron.portable import utc_or_zone
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.image import PYTHON, beside
from mlops_jupyter.services.export.emit.parameters import in_json, unsettable
from mlops_jupyter.services.export.emit.python import called, identifier, literal
from mlops_jupyter.services.export.emit.templates import fill
from mlops_jupyter.services.export.targets import Feature

name = "metaflow"
title = "Metaflow 2"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.RETRIES,
        Feature.TIMEOUT,
        Feature.CPU,
        Feature.MEMORY,
        Feature.GPU,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

ADDED = f"""\
ENV METAFLOW_SKIP_INSTALL_DEPENDENCIES=1
RUN ln -s {PYTHON.removesuffix("/bin/python")} /app/.venv
WORKDIR /home/runner"""
"""Lines of the image's Dockerfile: Metaflow installs nothing, unpacks where its user may write, finds the packages."""

MOST_RETRIES = 4
TAKEN = frozenset(
    """
    start end name next input index cmd script_name foreach_stack merge_artifacts
    params with tag namespace obj tags decospecs run_id_file max_num_splits max_workers max_log_size user_namespace
    run_id task_id configs help version runner_attribute_file
    FlowSpec JSONType Parameter current exit_hook resources retry schedule step timeout run_step bool int float str
    """.split()  # noqa: SIM905 - a list of words
)
"""Names that mean something in a flow: to Metaflow, on its command line, or in the lines around them."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the flow file. Whatever the plan's texts hold, they are data: they stand there as literals, or not at all.

    Raises
    ------
    UserError
        A name is no identifier, a step asks for more retries than Metaflow makes, or Metaflow cannot fire when the
        schedule says.
    """
    package = identifier(plan.package, "package")
    steps = called((identifier(step.name, "step") for step in plan.steps), TAKEN, "step")
    settable_parameters = [p for p in plan.parameters if identifier(p.name, "parameter") and in_json(p.default)]
    named = called((p.name for p in settable_parameters), TAKEN | set(steps.values()), "parameter")
    parts = {
        "PACKAGE": package,
        "CLASS": flow(plan),
        "IMPORTED": ", ".join(_imported(plan, settable_parameters)),
        "PARAMETERS": literal(named),
        "ALERT": _alert(plan),
        "DECORATORS": _schedule(plan.schedule) + ("@exit_hook(on_error=[alert])\n" if plan.alert else ""),
        "DECLARED": "".join(f"    {named[p.name]} = {_parameter(p, named[p.name])}\n" for p in settable_parameters)
        + "\n" * bool(settable_parameters),
        "STEPS": "\n".join(_methods(plan, steps)),
    }
    return {"flow.py": fill(__package__, "flow.txt", parts)}


def flow(plan: Plan) -> str:
    """Return the name of the flow's class, by which Metaflow knows it.

    Examples
    --------
    >>> flow(Plan("Churn, monthly", "churn_monthly", ()))
    'ChurnMonthlyFlow'
    """
    return "".join(word.capitalize() for word in label(plan.package).split("-")) + "Flow"


def _imported(plan: Plan, kept: list[Parameter]) -> list[str]:
    """Return the names that the file imports: only those that it uses."""
    wishes = [step.resources for step in plan.steps]
    optional = {
        "JSONType": any(_type(p) == "JSONType" for p in kept),
        "Parameter": bool(kept),
        "exit_hook": bool(plan.alert),
        "resources": any(w.cpu or w.memory_bytes or w.gpu for w in wishes),
        "retry": any(w.retries for w in wishes),
        "schedule": bool(_schedule(plan.schedule)),
        "timeout": any(w.timeout_seconds for w in wishes),
    }
    names = ["FlowSpec", "current", "step", *(name for name, used in optional.items() if used)]
    return sorted(names, key=lambda name: (name[0].islower(), name))


def _type(parameter: Parameter) -> str:
    kind = type(parameter.default)
    return kind.__name__ if kind in (bool, int, float, str) else "JSONType"


def _parameter(parameter: Parameter, name: str) -> str:
    kind = _type(parameter)
    default = json.dumps(parameter.default) if kind == "JSONType" else parameter.default
    return f"Parameter({literal(name)}, default={literal(default)}, type={kind})"


def _schedule(schedule: ScheduleSpec | None) -> str:
    if not schedule or not schedule.cron:
        return ""
    fields, place = utc_or_zone(schedule, title)
    zone = "" if place == "UTC" else f", timezone={literal(place)}"
    return f"@schedule(cron={literal(with_years(fields, title))}{zone})\n"


def _alert(plan: Plan) -> str:
    if not plan.alert:
        return ""
    run = 'f"{run.parent.id}-{run.id}"'
    return (
        '\n\ndef alert(run):\n    """Say that a run failed."""\n'
        f'    command(["alert", "--store", STORE, "--run", {run}, "--to", {literal(plan.alert)}])\n'
    )


def _methods(plan: Plan, steps: Mapping[str, str]) -> Iterator[str]:
    """Yield the source of the flow's methods, each with the call that names the next ones."""
    own = {steps[step.name]: step for step in plan.steps}
    stages = _stages([[steps[step.name] for step in level] for level in _levels(plan)])
    for number, stage in enumerate(stages):
        joins = number > 0 and len(stages[number - 1]) > 1
        after = [", ".join(f"self.{method}" for method in stages[number + 1])] if number + 1 < len(stages) else []
        for method in stage:
            step = own.get(method)
            body = [f"run_step(self, {literal(step.name)})"] if step else []
            body += [f"self.next({names})" for names in after]
            yield _method(method, _decorated(step) if step else [], body or ["pass"], joins)


def _stages(levels: list[list[str]]) -> list[list[str]]:
    """Return the stages of the flow, each the methods that run side by side, with the joins and forks between them."""
    taken = {method for level in levels for method in level}
    stages = [["start"]]
    for level, after in zip(levels, [*levels[1:], ["end"]], strict=True):
        if len(stages[-1]) > 1 and (len(level) > 1 or len(after) > 1):
            stages.append([_apart("join", taken)])
            if len(level) > 1:
                stages.append([_apart("fork", taken)])
        stages.append(level)
    if len(stages[-1]) > 1:
        stages.append([_apart("join", taken)])
    return [*stages, ["end"]]


def _apart(word: str, taken: set[str]) -> str:
    number = next(number for number in count(1) if f"{word}_{number}" not in taken)
    taken.add(f"{word}_{number}")
    return f"{word}_{number}"


def _levels(plan: Plan) -> list[list[PlanStep]]:
    depth: dict[str, int] = {}
    for step in plan.steps:  # in an order that respects the edges
        depth[step.name] = max((depth[before] + 1 for before in step.upstream), default=0)
    return [[step for step in plan.steps if depth[step.name] == level] for level in range(max(depth.values()) + 1)]


def _next(names: Iterable[str]) -> list[str]:
    return [f"self.next({', '.join(f'self.{name}' for name in names)})"]


def _method(name: str, decorators: list[str], body: list[str], joins: bool = False) -> str:
    head = [*decorators, "@step", f"def {name}(self{', inputs' if joins else ''}):"]
    return "".join(f"    {line}\n" for line in [*head, *(f"    {line}" for line in body)])


def _decorated(step: PlanStep) -> list[str]:
    wishes = step.resources
    if wishes.retries > MOST_RETRIES:
        raise UserError(
            f"step {step.name!r} is to be tried again {wishes.retries} times, and {title} does so {MOST_RETRIES} times "
            f"at most: ask for fewer"
        )
    requests = {
        "cpu": wishes.cpu,
        "memory": wishes.memory_bytes and math.ceil(wishes.memory_bytes / 10**6),
        "gpu": wishes.gpu,
    }
    words = ", ".join(f"{name}={literal(value)}" for name, value in requests.items() if value)
    pause = math.ceil((wishes.backoff_seconds or 0) / 60)
    lines = {
        f"@retry(times={wishes.retries}, minutes_between_retries={pause})": wishes.retries,
        f"@timeout(seconds={math.ceil(wishes.timeout_seconds or 0)})": wishes.timeout_seconds,
        f"@resources({words})": words,
    }
    return [line for line, wished in lines.items() if wished]


def deploy(plan: Plan) -> str:
    """Return how to run the flow here, and how to bring it to a scheduler."""
    image = label(plan.package)
    parts = [
        f"""\
Tested with Metaflow 2.19, on one machine. Metaflow runs the steps with the bundle's `.venv` and needs none of their
packages:

```sh
python{plan.environment.python} -m venv .venv && .venv/bin/python -m pip install -r requirements.lock
python flow.py run
python flow.py run --help
```""",
        f"""\
On Kubernetes, by Argo Workflows, its steps run in the bundle's image, to which what Metaflow needs is added in an
environment of its own, and the store is an address that all reach:

```sh
{beside(plan, "metaflow", "boto3 requests", ADDED)}{_secret(plan, image)}python flow.py \\
  --with 'kubernetes:image=REGISTRY/{image}:1{f",secrets={image}" if plan.secrets else ""}' \\
  --with 'environment:vars={{"PIPELINE_HOME": "/app", "PIPELINE_STORE": "s3://bucket/{image}"}}' \\
  argo-workflows create
```""",
    ]
    if plan.schedule and plan.schedule.cron and utc_or_zone(plan.schedule, title)[1] != "UTC":
        parts.append(
            f"The schedule goes by the clock of {plan.schedule.timezone} on Argo alone: Step Functions knows UTC."
        )
    parts.append(unsettable(plan, title).strip())
    return "\n\n".join(filter(None, parts)) + "\n"


def _secret(plan: Plan, secret_name: str) -> str:
    words = " ".join(f"--from-literal={secret}=..." for secret in plan.secrets)
    return f"kubectl create secret generic {secret_name} {words}\n" if words else ""
