"""Which names a cell can reach: in its text, through functions that it calls, and through objects that names share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlops_jupyter.analysis.facts.extract import SourceFacts
from mlops_jupyter.capture.value_kinds import plain
from mlops_jupyter.capture.value_store import ValueStore

NOTHING: frozenset[str] = frozenset()


class ReachableNames:
    """Remembers, for each name, which names its value may read or bind when it is called.

    A function reads what its body names. A value made by a cell that could reach a function may hold that function
    (a pipeline with a FunctionTransformer, a partial, a list of callbacks), so it inherits what the function reads,
    unless it is plain data. So it is with a function of the cell itself, named or not.
    """

    def __init__(self, namespace: Mapping[str, Any], values: ValueStore) -> None:
        self._namespace = namespace
        self._values = values
        self._late: dict[str, frozenset[str]] = {}

    def names(self, start: Iterable[str]) -> set[str]:
        """Return all names of the namespace that code naming `start` could read or change."""
        reachable: set[str] = set()
        todo = list(start)
        while todo:
            name = todo.pop()
            if name in reachable or name not in self._namespace:
                continue
            reachable.add(name)
            todo.extend(self._late.get(name, NOTHING))
            todo.extend(self._values.sharing(name))
        return reachable

    def direct(self, start: Iterable[str]) -> set[str]:
        """Return the names of the namespace that code naming `start`, or a function that it calls, names itself."""
        named = set(start)
        return {name for name in named | self.called(named) if name in self._namespace}

    def called(self, names: Iterable[str]) -> set[str]:
        """Return the names that functions of some names may read or bind when called, directly or through others."""
        called: set[str] = set()
        todo = list(names)
        while todo:
            for other in self._late.get(todo.pop(), NOTHING) - called:
                called.add(other)
                todo.append(other)
        return called

    def learn(self, facts: SourceFacts, reached: set[str], written: Iterable[str]) -> None:
        """Remember the functions that an execution defined, and the values that may hold functions since."""
        holders = facts.definitions.union(*(self._lent_by(n) for n in reached if n in self._late))
        lent = frozenset().union(*(statement.escaping_reads for statement in facts.statements))
        for name in written:
            own = facts.deferred_reads.get(name, NOTHING) | facts.deferred_writes.get(name, NOTHING)
            if name in facts.definitions:
                made_with = {n for s in facts.statements if name in s.writes for n in s.reads}
                self._late[name] = own | {n for n in made_with if n in self._late or n in facts.definitions} - {name}
            elif (holders or lent) and name in self._namespace and not plain(self._namespace[name]):
                self._late[name] = (holders | lent | own) - {name}
            else:
                self._late.pop(name, None)

    def _lent_by(self, name: str) -> frozenset[str]:
        """Return what another value may read or call if it was made with this one: itself, or what it holds.

        Not the name of what cannot be called: where the other holds a part of it, the two share objects, and that
        is seen.
        """
        return frozenset({name}) if callable(self._namespace.get(name)) else self._late[name]
