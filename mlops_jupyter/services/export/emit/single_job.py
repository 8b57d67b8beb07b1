"""A pipeline that runs whole, in one job of a system: its parameters, its time limit, its secrets."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mlops_jupyter.core.plan import Parameter, Plan
from mlops_jupyter.services.export.emit import parameters
from mlops_jupyter.services.export.emit.backoff import longest_run
from mlops_jupyter.services.export.emit.python import identifier

SPARE_MINUTES = 15
"""Minutes for what a job does beside the steps: it builds an environment, uploads results, sends an alert."""

LONGEST_MINUTES = 6 * 60 - SPARE_MINUTES
"""The time limit, in minutes, where steps have none: GitHub's machines end a job after six hours without a word."""


def cli_literal(value: object) -> str | None:
    """Return the line that `-p NAME=LINE` parses as this value; None if there is no such line.

    A text stands for itself where it can, else it is JSON. No line holds a ``$``, so that no system puts anything in.

    Examples
    --------
    >>> cli_literal("a b"), cli_literal("${{ x }}"), cli_literal(0.5), cli_literal((1, 2))
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
    settings: dict[str, tuple[Parameter, str]] = {}
    for parameter in plan.parameters:
        name, line = identifier(parameter.name, "parameter"), cli_literal(parameter.default)
        if line is not None and name.isascii():
            settings.setdefault(name.lower(), (parameter, line))
    return list(settings.values())[:most]


def unsettable(plan: Plan, system: str, most: int | None = None) -> str:
    """Return a paragraph of Markdown that names the parameters which a system's form cannot hold; "" for none."""
    held = {parameter.name for parameter, _ in settable(plan, most)}
    return parameters.unsettable(plan, system, lambda parameter: parameter.name in held)


def given(plan: Plan, most: int | None = None) -> str:
    """Return lines of a shell command that pass each parameter from its environment variable, see `variable`."""
    return "".join(f' \\\n  -p "{p.name}=${variable(p.name)}"' for p, _ in settable(plan, most))


def variable(parameter: str) -> str:
    """Return the name of the environment variable that holds a parameter; its own name might be `PATH`."""
    return f"PARAMETER_{parameter}"


def guards(secrets: Iterable[str], where: str) -> str:
    """Return lines of a shell program that stop a job in which a secret is not set; one line for each secret.

    Parameters
    ----------
    where : what a person has to add the secret to, for the message.
    """
    return "".join(f': "${{{name}:?is not set: add it to {where}}}"\n' for name in secrets)


def minutes(plan: Plan) -> int:
    """Return the time limit, in minutes, of a job that runs the pipeline."""
    seconds = longest_run(plan)
    return LONGEST_MINUTES if seconds is None else math.ceil(seconds / 60)
