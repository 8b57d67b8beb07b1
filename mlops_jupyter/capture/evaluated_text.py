"""Names that a cell does not show: in text that it evaluates (`expr = "w * 2"; eval(expr)`), in tests that it runs.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlops_jupyter.analysis.facts.names_in_strings import names_in_string
from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observers.file_queries import QUOTED
from mlops_jupyter.capture.value_kinds import is_a, module_of

EVALUATES = re.compile(r"\b(eval|exec|query)\(").search

TESTS_MAIN = re.compile(r"\bunittest\.main\(|\btestmod\(|(?<![\w.])main\(\s*argv").search
"""Search a text for a call that looks for tests among all that the notebook defines."""

MOST_TEXTS = 300
LONGEST_TEXT = 20_000
"""How many texts are read, and up to which length."""


class EvaluatedText:
    """Reads the texts that a cell may evaluate: those it names, and those in containers. Remembers who evaluates."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._evaluators: set[str] = set()

    def names(self, cell: ActiveCell, read: Iterable[str]) -> set[str]:
        """Return the names in the texts that a cell may evaluate, itself or in functions that it reads.

        Parameters
        ----------
        read : names that the cell reads.
        """
        evaluates = EVALUATES(cell.body) is not None
        self._evaluators -= cell.facts.definitions
        if evaluates:
            self._evaluators |= cell.facts.definitions
        if TESTS_MAIN(cell.body):
            return {name for name, value in self._namespace.items() if module_of(value) == "__main__"}
        read = set(read)
        if not evaluates and self._evaluators.isdisjoint(read):
            return set()
        texts = [text for name in sorted(read | cell.facts.writes) for text in _texts(self._namespace.get(name))]
        return set().union(*map(_names, [*QUOTED.findall(cell.body), *texts][:MOST_TEXTS]))


def _texts(value: object) -> Iterator[str]:
    if is_a(value, str):
        yield str(value)
    elif type(value) in (list, tuple, set, dict):
        items = value.values() if isinstance(value, dict) else value
        yield from (item for _, item in zip(range(MOST_TEXTS), items, strict=False) if type(item) is str)  # type: ignore[call-overload]


def _names(text: str) -> set[str]:
    if len(text) > LONGEST_TEXT:
        return set()
    names = set(names_in_string(text))
    try:
        tree = ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return names
    return names | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
