"""Which parameters a system that passes values as JSON can set."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_jupyter.core.plan import Parameter, Plan
from mlops_jupyter.services.export.spelling import jsons
from mlops_jupyter.services.export.spelling.python import identifier


def overridable(plan: Plan) -> Iterator[Parameter]:
    """Yield the parameters that may be set, their names seen to be names. The others keep the pipeline's default."""
    for parameter in plan.parameters:
        identifier(parameter.name, "parameter")
        if in_json(parameter):
            yield parameter


def in_json(parameter: Parameter) -> bool:
    """Whether the parameter goes through JSON and back unchanged. NaN, infinities and keys that are no text do not."""
    return bool(jsons.in_json(parameter.default))


def kept(plan: Plan, system: str) -> str:
    """Return a paragraph naming the parameters that the system cannot hold, "" if there are none."""
    names = [f"`{p.name}`" for p in plan.parameters if not in_json(p)]
    return f"\nNot to be set from {system}, which cannot hold their defaults: {', '.join(names)}.\n" if names else ""
