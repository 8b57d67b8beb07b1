"""Aliases of models: their names, and the versions that held one in turn, read from the audit log for rollbacks."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.store.ledger import Ledger

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-. ]{0,199}")
ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,199}")


def check_name(name: str) -> str:
    """Return a model's name; raise `UserError` if MLflow or a file system would not accept it."""
    if not NAME.fullmatch(name) or name != name.strip():
        raise UserError(f"{name!r} is no name for a model: use letters, digits, _ - . and single words, as in 'churn'")
    return name


def check_alias(alias: str) -> str:
    """Return an alias; raise `UserError` if it is none. `latest` and `v3` have a meaning of their own in MLflow."""
    if not ALIAS.fullmatch(alias) or re.fullmatch(r"[vV]\d+|latest", alias):
        raise UserError(
            f"{alias!r} is no alias: use letters, digits, _ and -, but not 'latest' or 'v1', as in 'champion'"
        )
    return alias


def split(address: str) -> tuple[str, str]:
    """Return the model and the alias of an address such as `churn@champion`; raise `UserError` if it has no alias.

    Examples
    --------
    >>> split("churn@champion")
    ('churn', 'champion')
    """
    name, mark, alias = address.partition("@")
    if not mark:
        raise UserError(f"{address!r} names no alias: write NAME@ALIAS, as in 'churn@champion'")
    return check_name(name), check_alias(alias)


def holders(ledger: Ledger, address: str) -> list[int]:
    """Return the stack of versions that an alias can be rolled back through, the present holder last.

    A promotion pushes a version, a rollback pops one. A holder that was set in MLflow itself counts as a promotion; it
    is seen when the alias is next changed.
    """
    stack: list[int] = []
    for row in ledger.query("SELECT verb, detail FROM audit WHERE subject = ? ORDER BY id", (address,)):
        detail = json.loads(row["detail"])
        _see(stack, detail.get("before"))
        if row["verb"] == "promote":
            _see(stack, detail["version"])
        elif row["verb"] == "rollback":
            _back_to(stack, detail["version"])
    return stack


def _see(stack: list[int], version: int | None) -> None:
    if version is not None and stack[-1:] != [version]:
        stack.append(version)


def _back_to(stack: list[int], version: int) -> None:
    while stack and stack[-1] != version:
        stack.pop()
    _see(stack, version)


def previous(stack: Sequence[int], address: str) -> int:
    """Return the version before the present holder; raise `UserError` if there is none."""
    if len(stack) < 2:
        raise UserError(f"{address!r} has no earlier version to go back to: promote one with --version")
    return stack[-2]
