"""Parameters as JSON texts that pass through systems with placeholders of their own, and arrive as they were."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from mlops_jupyter.core.plan import Parameter, Plan
from mlops_jupyter.services.export.spelling import jsons
from mlops_jupyter.services.export.spelling.python import identifier


def passed(plan: Plan) -> dict[str, str]:
    """Return name -> JSON text of the default, of each parameter that JSON can hold; the others keep the bundle's own.

    Raises
    ------
    UserError
        A name is no identifier.
    """
    return {identifier(p.name, "parameter"): text(p.default) for p in plan.parameters if in_json(p)}


def in_json(parameter: Parameter) -> bool:
    """Whether Python gets the same value back from its JSON: tuples and keys that are no text do not return."""
    try:
        return repr(json.loads(json.dumps(parameter.default))) == repr(parameter.default)
    except (TypeError, ValueError):
        return False


def text(value: object) -> str:
    """Return a value as JSON in ASCII, in which nobody finds a placeholder: no ``$``, no ``%``, no two braces.

    So ``$(NAME)`` and ``$$`` of Kubernetes, ``{{name}}`` of Argo, ``${name}`` and ``%{if}`` of Terraform are only text.
    None of these signs stands in JSON outside of a text, but for single braces.

    Examples
    --------
    >>> print(text("$(exit) {{{ x }} é"))
    "\\u0024(exit) \\u007b\\u007b{ x }} \\u00e9"
    """
    spelled = json.dumps(value).replace("$", r"\u0024").replace("%", r"\u0025")
    return re.sub(r"\{(?=\{)", r"\\u007b", spelled)


def overridable(plan: Plan) -> Iterator[Parameter]:
    """Yield the parameters that any reader of JSON can set, their names seen to be names; NaN and infinities are none.

    The others keep the pipeline's default.
    """
    for parameter in plan.parameters:
        identifier(parameter.name, "parameter")
        if jsons.in_json(parameter.default):
            yield parameter


def kept(plan: Plan, system: str) -> str:
    """Return a paragraph naming the parameters that the system cannot hold, "" if there are none."""
    names = [f"`{p.name}`" for p in plan.parameters if not jsons.in_json(p.default)]
    return f"\nNot to be set from {system}, which cannot hold their defaults: {', '.join(names)}.\n" if names else ""
