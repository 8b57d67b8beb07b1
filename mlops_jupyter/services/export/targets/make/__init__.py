"""GNU make: `pipeline.mk`, in which each step is a target, so that `make -j` runs at once what may run at once.

Nothing of a plan's texts stands in it but parameters' defaults: as JSON, in which `$` and `#` are escaped.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops_jupyter.core.plan import Plan, PlanStep
from mlops_jupyter.services.export.emit.backoff import pauses
from mlops_jupyter.services.export.emit.parameters import in_json
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.templates import fill
from mlops_jupyter.services.export.targets import Feature

name = "make"
title = "GNU make"
expresses = frozenset(
    {Feature.STEPS, Feature.PARAMETERS, Feature.RETRIES, Feature.BACKOFF, Feature.TIMEOUT, Feature.ALERT}
)


def render(plan: Plan) -> Mapping[str, str]:
    """Return the makefile.

    Raises
    ------
    UserError
        A name is no identifier.
    """
    steps = [f"step-{identifier(step.name, 'step')}" for step in plan.steps]
    alert = f"$(python) alert $(where) --to {identifier(plan.alert, 'secret')}; " if plan.alert else ""
    parts = {
        "PACKAGE": identifier(plan.package, "package"),
        "PARAMETERS": _parameters(plan),
        "TARGETS": " ".join(steps),
        "STEPS": "\n".join(_rule(step) for step in plan.steps),
        "ALERT": alert,
    }
    return {"pipeline.mk": fill(__package__, "pipeline.txt", parts)}


def _parameters(plan: Plan) -> str:
    """Return lines that name all parameters, and set the defaults that JSON can hold; the pipeline knows the others."""
    names = [identifier(parameter.name, "parameter") for parameter in plan.parameters]
    lines = [f"PARAMETERS := {' '.join(names)}".rstrip()]
    for parameter in plan.parameters:
        # In JSON these signs stand in texts only; make would take the one for a variable, the other for a comment.
        text = in_json(parameter.default).replace("$", "\\u0024").replace("#", "\\u0023")
        lines += [f"p.{parameter.name} = {text}"] if text else []
    return "\n".join(lines)


def _rule(step: PlanStep) -> str:
    needs = " ".join(["", *(f"step-{upstream}" for upstream in step.upstream)])
    return f"step-{step.name}:{needs}\n\t$(call step,{step.name},{' '.join(pauses(step.resources))})"


def deploy(plan: Plan) -> str:
    """Return how to run the pipeline with make."""
    parameter = next((f" p.{p.name}={p.default}" for p in plan.parameters if type(p.default) in (int, float)), "")
    alert = (
        f"\nThe first step that fails says so to the web address in the environment variable `{plan.alert}`.\n"
        if plan.alert
        else ""
    )
    return f"""\
Each step of `{plan.package}` is a target of `pipeline.mk`; a parameter is `p.NAME=VALUE`, its value JSON or a text.

```sh
make -f pipeline.mk -j2
make -f pipeline.mk step-{plan.steps[-1].name}{parameter}
```
{alert}"""
