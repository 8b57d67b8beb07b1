"""A pipeline that runs whole, by one command of a job: its parameters, its time, its secrets."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mlops_jupyter.core.plan import Parameter, Plan
from mlops_jupyter.services.export.emit import parameters
from mlops_jupyter.services.export.emit.backoff import longest_run
from mlops_jupyter.services.export.emit.python import identifier

SPARE_MINUTES = 15
"""For what a job does beside the steps: an environment is built, results are carried away, a failure is told."""

LONGEST_MINUTES = 6 * 60 - SPARE_MINUTES
"""What a pipeline gets whose steps say nothing of time: GitHub's machines end a job after six hours, unsaid."""


def cli_literal(value: object) -> str | None:
    """Return the one line that `-p NAME=LINE` reads as this value; None where there is none.

    A text stands for itself where it can, else it is JSON. No line holds a ``$``, so that no system puts anything in.

    Examples
    --------
    >>> said("a b"), said("${{ x }}"), said(0.5), said((1, 2))
    ('a b', '"\\\\u0024{{ x }}"', '0.5', None)
    """
    if isinstance(value, str) and value.isprintable() and value == value.strip() and not {'"', "$"} & {*value}:
        return value
    line = parameters.in_json(value, ascii_only=False)
    if not line.isprintable():
        line = parameters.in_json(value)
    return line.replace("$", "\\u0024") or None


def settable(plan: Plan, most: int | None = None) -> list[tuple[Parameter, str]]:
    """Return the parameters that a system's form can hold, each with the line that `cli_literal` has for its default.

    Names must be ASCII, and no two may be the same but for case. The others keep their defaults: see `unsettable`.

    Parameters
    ----------
    most : how many a form can hold.
    """
    found: dict[str, tuple[Parameter, str]] = {}
    for parameter in plan.parameters:
        name, line = identifier(parameter.name, "parameter"), cli_literal(parameter.default)
        if line is not None and name.isascii():
            found.setdefault(name.lower(), (parameter, line))
    return list(found.values())[:most]


def unsettable(plan: Plan, system: str, most: int | None = None) -> str:
    """Return a paragraph of Markdown that names the parameters which a system's form cannot hold; "" if it can all."""
    held = {parameter.name for parameter, _ in settable(plan, most)}
    return parameters.unsettable(plan, system, lambda parameter: parameter.name in held)


def given(plan: Plan, most: int | None = None) -> str:
    """Return lines of a shell's command that hand over each parameter from its environment variable, see `variable`."""
    return "".join(f' \\\n  -p "{p.name}=${variable(p.name)}"' for p, _ in settable(plan, most))


def variable(parameter: str) -> str:
    """Return the environment variable that holds a parameter: under its own name it might be `PATH`."""
    return f"PARAMETER_{parameter}"


def guards(secrets: Iterable[str], where: str) -> str:
    """Return lines of a shell that stop a job in which a secret is not set; one for each.

    Parameters
    ----------
    where : what a person has to add it to.
    """
    return "".join(f': "${{{name}:?is not set: add it to {where}}}"\n' for name in secrets)


def minutes(plan: Plan) -> int:
    """Return after how many minutes a job that runs the pipeline has surely gone wrong."""
    seconds = longest_run(plan)
    return LONGEST_MINUTES if seconds is None else math.ceil(seconds / 60)
