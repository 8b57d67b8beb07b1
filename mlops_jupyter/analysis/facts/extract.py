"""Static analysis of a cell: which names it reads, binds and deletes, and what makes its values nondeterministic.

Pure, standard library only, and fast: it runs in the kernel before each cell. Reads and writes are what *may* happen,
so a name too many is possible (`reads` holds builtins, too, and candidates from strings are a guess): intersect them
with the names of the namespace. A name too few is a defect, unless `uncertain` or `star_imports` is not empty.
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
"""Size of the caches, in cells: more than a notebook has. (Fewer would be worse than no cache: each pass over the cells
of a longer notebook would evict the very ones that come next.)"""


@lru_cache(maxsize=REMEMBERED)
def extract_facts(source: str) -> SourceFacts:
    """Return the facts of a cell's Python text, whose magics `cells.to_python` has translated.

    Raises
    ------
    ParseError
        The text is not Python.

    Examples
    --------
    >>> facts = extract_facts("y = [x * k for x in rows]")
    >>> sorted(facts.reads), sorted(facts.definite_writes)
    (['k', 'rows'], ['y'])
    """
    tree = parse(source)
    return deeply(lambda: build_facts(source, tree))


@lru_cache(maxsize=REMEMBERED)
def normalized_source(source: str) -> str:
    """Return source text without its formatting, comments and blank lines, for hashing; docstrings stay.

    Raises
    ------
    ParseError
        The text is not Python.

    Examples
    --------
    >>> normalized_source("x=( 1 )  # one") == normalized_source("x = 1")
    True
    """
    tree = parse(source)
    try:
        return deeply(lambda: ast.unparse(tree))
    except ValueError:  # an f-string whose parts hold each kind of quote: unparse has none left
        return deeply(lambda: ast.dump(tree))
