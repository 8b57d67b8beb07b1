"""Keep secrets out of files: refuse a parameter that looks like one and a file that holds one; note literals of steps.

How secrets are recognized: `runtime.secret_values`.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan
from mlops_jupyter.runtime.secret_values import DISTINCT, FORMS, KnownSecrets, looks_like_one, texts_of


def check_files(files: Mapping[str, bytes], values: Iterable[tuple[str, str]]) -> None:
    """Refuse files of a bundle of which one holds a secret that the notebook has read.

    Parameters
    ----------
    files : path -> content.
    values : (name, value) of each secret.

    Raises
    ------
    UserError
        A file holds one: its text was typed into a cell, or an initial value holds it.
    """
    known = KnownSecrets(values)
    for path, data in files.items() if known else ():
        if secret := known.held_by(data):
            raise UserError(
                f"{path} of the bundle would hold the secret {secret!r}, which no file may: read it in the cell from "
                "os.environ, and do not type it"
            )


def unsearchable(names: Iterable[str]) -> list[str]:
    """Return a note for each declared secret whose value is too short or too plain a word to be searched for."""
    return [
        f"the secret {name!r} is too short or too plain to be searched for: see yourself that no value holds it"
        for name in names
        if not DISTINCT(os.environ.get(name, ""))
    ]


def check(plan: Plan) -> list[str]:
    """Return a note for each literal of a step that looks like a secret.

    Raises
    ------
    UserError
        A parameter looks like a secret: its value would stand in the files of every target.
    """
    for parameter in plan.parameters:
        if any(looks_like_one(name, value) for name, value in texts_of(parameter.name, parameter.default)):
            variable = parameter.name.upper()
            raise UserError(
                f"parameter {parameter.name!r} looks like a secret, which no file may hold: read it in the cell from "
                f"os.environ[{variable!r}], and export with --secret {variable}"
            )
    literals = ((step.name, name) for step in plan.steps for name in _in_code(step.module))
    return [
        f"{step}: {name!r} looks like a secret and is in the bundle: read it from the environment, with --secret"
        for step, name in dict.fromkeys(literals)
    ]


def _in_code(module: str) -> Iterator[str]:
    """Yield the name of each literal in a module's code that looks like a secret; "a text" if it has no name."""
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for target in node.targets:
                if isinstance(target, ast.Name) and looks_like_one(target.id, node.value.value):
                    yield target.id
        elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str) and looks_like_one(node.arg or "", node.value.value):
                yield node.arg or "a text"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and FORMS.search(node.value):
            yield "a text"
