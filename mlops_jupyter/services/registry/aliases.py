"""Who held an alias, one after the other: read from the audit, so that a rollback knows where to go."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.store.ledger import Ledger

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-. ]{0,199}")
ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,199}")


def check_name(name: str) -> str:
    """Return a model's name, or raise `UserError` for what MLflow or a file system would not take."""
    if not NAME.fullmatch(name) or name != name.strip():
        raise UserError(f"{name!r} is no name for a model: use letters, digits, _ - . and single words, as in 'churn'")
    return name


def check_alias(alias: str) -> str:
    """Return an alias, or raise `UserError`: `latest` and `v3` mean something of their own in MLflow."""
    if not ALIAS.fullmatch(alias) or re.fullmatch(r"[vV]\d+|latest", alias):
        raise UserError(
            f"{alias!r} is no alias: use letters, digits, _ and -, but not 'latest' or 'v1', as in 'champion'"
        )
    return alias


def split(address: str) -> tuple[str, str]:
    """Return (model, alias) of `churn@champion`.

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
    """Return the versions that an alias could go back through, the present holder last.

    Each promotion puts one on top; a rollback takes the top away; a holder that somebody set in MLflow itself, seen
    when the alias was next changed, counts like a promotion.
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
    """Return the version before the present one; raise `UserError` where there is none."""
    if len(stack) < 2:
        raise UserError(f"{address!r} has no earlier version to go back to: promote one with --version")
    return stack[-2]
