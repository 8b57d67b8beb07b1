"""Parameters as JSON: how every system hands them to a step, and which of them it cannot hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from mlops_jupyter.core.plan import Parameter, Plan
from mlops_jupyter.services.export.emit.python import identifier


def in_json(value: object, ascii_only: bool = True) -> str:
    """Return a value as JSON on one line; "" if JSON does not give it back unchanged.

    NaN, infinities, tuples and keys that are no text do not come back unchanged.

    Examples
    --------
    >>> print(in_json({"a": [1e3, None, "é"]}))
    {"a": [1000.0, null, "\\u00e9"]}
    >>> in_json(float("nan"))
    ''
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=ascii_only)
    except (TypeError, ValueError):
        return ""
    return text if repr(json.loads(text)) == repr(value) else ""


def text(value: object) -> str:
    """Return a value as JSON in ASCII, in which no system finds a placeholder: no ``$``, no ``%``, no two braces.

    So ``$(NAME)`` and ``$$`` of Kubernetes, ``{{name}}`` of Argo, ``${name}`` and ``%{if}`` of Terraform are only text.
    None of these signs stands in JSON outside of a text, but for single braces.

    Examples
    --------
    >>> print(text("$(exit) {{{ x }} é"))
    "\\u0024(exit) \\u007b\\u007b{ x }} \\u00e9"
    """
    spelled = json.dumps(value).replace("$", r"\u0024").replace("%", r"\u0025")
    return re.sub(r"\{(?=\{)", r"\\u007b", spelled)


def settable(parameter: Parameter) -> bool:
    """Return whether JSON can hold the parameter's default, so that any system can set it."""
    return bool(in_json(parameter.default))


def overridable(plan: Plan) -> Iterator[Parameter]:
    """Yield the `settable` parameters, after a check of their names. The others keep the pipeline's default.

    Raises
    ------
    UserError
        A name is no identifier.
    """
    for parameter in plan.parameters:
        identifier(parameter.name, "parameter")
        if settable(parameter):
            yield parameter


def passed(plan: Plan) -> dict[str, str]:
    """Return name -> default as `text`, for each parameter that is `overridable`."""
    return {parameter.name: text(parameter.default) for parameter in overridable(plan)}


def unsettable(plan: Plan, system: str, held: Callable[[Parameter], bool] = settable) -> str:
    """Return a paragraph of Markdown naming the parameters that the system cannot hold, "" if there are none."""
    names = [f"`{parameter.name}`" for parameter in plan.parameters if not held(parameter)]
    return f"\nNot to be set from {system}, which cannot hold them: {', '.join(names)}.\n" if names else ""
