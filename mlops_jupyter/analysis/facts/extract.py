"""Source text -> facts: which names a cell reads, binds and deletes, and what may make its values differ elsewhere.

Pure, standard library only, and fast: it runs in the kernel before each cell. What it says of reads and writes is what
*may* happen, so a name too many is possible (`reads` holds builtins, too, and candidates from text are a guess):
intersect with the names that are alive. A name too few is a defect, except where `uncertain` or `star_imports` says so.
"""

from __future__ import annotations

import ast
from functools import lru_cache

from mlops_jupyter.analysis.facts.build_facts import build_facts
from mlops_jupyter.analysis.facts.records import SourceFacts, Statement
from mlops_jupyter.analysis.nondeterminism import NondeterminismCause, NondeterminismKind
from mlops_jupyter.analysis.syntax.parsing import ParseError, deeply, parse
from mlops_jupyter.analysis.syntax.spans import Span, StatementKind

__all__ = [
    "NondeterminismCause",
    "NondeterminismKind",
    "ParseError",
    "SourceFacts",
    "Span",
    "Statement",
    "StatementKind",
    "extract_facts",
    "normalized_source",
]

REMEMBERED = 8192
"""Cells whose facts are kept: more than a notebook has. (Fewer would be worse than none: each pass over the cells of a
longer notebook would push out the very ones that come next.)"""


@lru_cache(maxsize=REMEMBERED)
def extract_facts(source: str) -> SourceFacts:
    """Return the facts of a cell's Python text (magics translated before, see `cells.to_python`).

    Raises
    ------
    ParseError
        The text is not Python.

    Examples
    --------
    >>> found = facts("y = [x * k for x in rows]")
    >>> sorted(found.reads), sorted(found.sure_writes)
    (['k', 'rows'], ['y'])
    """
    tree = parse(source)
    return deeply(lambda: build_facts(source, tree))


@lru_cache(maxsize=REMEMBERED)
def normalized_source(source: str) -> str:
    """Return text that does not change with formatting, comments and blank lines, for hashing; docstrings stay.

    Raises
    ------
    ParseError
        The text is not Python.

    Examples
    --------
    >>> normalised("x=( 1 )  # one") == normalised("x = 1")
    True
    """
    tree = parse(source)
    try:
        return deeply(lambda: ast.unparse(tree))
    except ValueError:  # an f-string whose parts hold each kind of quote: unparse has none left
        return deeply(lambda: ast.dump(tree))
