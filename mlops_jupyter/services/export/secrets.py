"""Keep secrets out of files: refuse a parameter that looks like a secret, and note a literal of a step that does.

A secret is recognized by its name or by the form that its provider documents for tokens; any other is not found.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan

NAMES = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|passphrase|secret|token|api_?key|access_?key|private_?key|auth_?key|credentials?)"
    r"(?:_|$|\d)",
    re.IGNORECASE,
)
"""Names of secrets, as a whole word of a name: `db_password`, not `tokens` or `keyword`."""

FORMS = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|xox[abpr]-[\w-]{10,}|"
    r"sk-[\w-]{20,}|AIza[\w-]{35}|hf_[0-9A-Za-z]{30,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\w+://[^\s:/@]+:[^\s:/@]+@"
)
"""Tokens of AWS, GitHub, GitLab, Slack, OpenAI, Google, Hugging Face; JSON Web Tokens; keys; passwords in addresses."""

PLACES = frozenset({"", "none", "changeme", "password", "secret", "token", "todo", "xxx", "***"})
"""Placeholders, in lower case, that stand where a secret is to be filled in."""


def check(plan: Plan) -> list[str]:
    """Return a note for each literal of a step that looks like a secret.

    Raises
    ------
    UserError
        A parameter looks like a secret: its value would stand in the files of every target.
    """
    for parameter in plan.parameters:
        if any(looks_like_one(name, value) for name, value in _texts(parameter.name, parameter.default)):
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


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(str(key), part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(name, part)


def looks_like_one(name: str, text: str) -> bool:
    """Return whether a value looks like a secret, by its name or by its own form."""
    return bool(FORMS.search(text)) or (bool(NAMES.search(name)) and text.strip().lower() not in PLACES)


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
