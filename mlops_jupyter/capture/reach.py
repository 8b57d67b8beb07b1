"""Which names a cell could have reached: what it names, what functions it may call would read, what shares with those."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_jupyter.analysis.facts import SourceFacts
from mlops_jupyter.capture.values import FROZEN, Values

NOTHING: frozenset[str] = frozenset()


class Reach:
    """Remembers, for each name, which names its value may read or bind when it is called.

    A function reads what its body names. A value made by a cell that could reach a function may hold that function
    (a pipeline with a FunctionTransformer, a partial, a list of callbacks), so it inherits what the function reads,
    unless it is plain data.
    """

    def __init__(self, namespace: Mapping[str, Any], values: Values) -> None:
        self._namespace = namespace
        self._values = values
        self._late: dict[str, frozenset[str]] = {}

    def names(self, start: Iterable[str]) -> set[str]:
        """Return all names of the namespace that code naming `start` could read or change."""
        found: set[str] = set()
        todo = list(start)
        while todo:
            name = todo.pop()
            if name in found or name not in self._namespace:
                continue
            found.add(name)
            todo.extend(self._late.get(name, NOTHING))
            todo.extend(self._values.sharing(name))
        return found

    def called(self, names: Iterable[str]) -> set[str]:
        """Return what the values of these names may read or bind when called, and so on, themselves left out."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            for other in self._late.get(todo.pop(), NOTHING) - found:
                found.add(other)
                todo.append(other)
        return found

    def learn(self, facts: SourceFacts, reached: set[str], written: Iterable[str]) -> None:
        """Take in what an execution defined, and which values may now hold functions."""
        holders = {n for n in reached if n in self._late}
        for name in written:
            own = facts.late_reads.get(name, NOTHING) | facts.late_writes.get(name, NOTHING)
            if name in facts.definitions:
                self._late[name] = own
            elif holders and name in self._namespace and not plain(self._namespace[name]):
                self._late[name] = frozenset(holders - {name}) | own
            else:
                self._late.pop(name, None)


def plain(value: object) -> bool:
    """Whether a value is data that cannot hold a function: numbers, text, arrays and frames of such."""
    if isinstance(value, FROZEN):
        return True
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return not value.dtype.hasobject
    if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series, pandas.Index)):
        return True
    if isinstance(value, (list, tuple, set, frozenset)) and len(value) < 1000:
        return all(isinstance(v, FROZEN) for v in value)
    return isinstance(value, dict) and len(value) < 1000 and all(isinstance(v, FROZEN) for v in value.values())
