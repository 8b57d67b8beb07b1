"""Parse source text to a syntax tree, with one kind of error and no warnings."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

DEEP = 60_000
"""Recursion limit for deeply nested cells, in Python frames; the default is used up by a sum of 300 terms."""

LINE_END = re.compile(r"\r\n|\r|\n")
"""Where Python's tokenizer ends a line. `str.splitlines` also ends lines at form feeds and Unicode separators."""

_Answer = TypeVar("_Answer")


def lines_of(text: str) -> list[str]:
    """Return the lines of Python text as Python counts them, without their ends; after a last end there is none."""
    lines = LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


class ParseError(ValueError):
    """Source text that is not Python.

    Attributes
    ----------
    line : 1-based line of the error; 0 where the parser gives none.
    message : the parser's own message.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line
        self.message = message

    def __reduce__(self) -> tuple[type[ParseError], tuple[int, str]]:
        return type(self), (self.line, self.message)


def parse(source: str) -> ast.Module:
    """Return the syntax tree of plain Python text.

    Raises
    ------
    ParseError
        The text is not Python.

    Examples
    --------
    >>> len(parse("x = 1").body)
    1
    """
    try:
        if "\\" not in source:
            return ast.parse(source)
        with warnings.catch_warnings():  # IPython compiles the same text and warns of "\d" itself: not twice
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as fault:
        raise ParseError(fault.lineno or 0, fault.msg) from None
    except (ValueError, MemoryError, RecursionError) as fault:  # null bytes; deeper than the parser's own stack
        raise ParseError(0, str(fault) or "too deeply nested") from None


def deeply(work: Callable[[], _Answer]) -> _Answer:
    """Return the result of `work`; call it again with a higher recursion limit if it hits the usual one."""
    try:
        return work()
    except RecursionError:
        with _deeper():
            return work()


@contextmanager
def _deeper() -> Iterator[None]:
    # A call from Python to Python takes no C stack since 3.11, so this cannot overflow it.
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)
