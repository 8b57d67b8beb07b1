"""Splits a magic's line into two Python expressions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mlops_jupyter.core.errors import UserError


def two(words: Sequence[str]) -> tuple[str, str]:
    """Return the two expressions that the words of a line make up; an expression in quotes loses its quotes.

    Raises
    ------
    UserError
        The words are not two expressions.

    Examples
    --------
    >>> two(["df[df.month", "<", "6]", "june"])
    ('df[df.month < 6]', 'june')
    """
    for cut in range(1, len(words)):
        left, right = _expression(words[:cut]), _expression(words[cut:])
        if left and right:
            return left, right
    line = " ".join(words)
    raise UserError(
        f"%drift takes two expressions, not {line!r}: write %drift REFERENCE CURRENT, in quotes where one holds spaces"
    )


def _expression(words: Sequence[str]) -> str:
    """Return the words as one Python expression, "" if they are none."""
    text = " ".join(words)
    try:
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
            text = tree.value.strip()
            ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return ""
    return text
