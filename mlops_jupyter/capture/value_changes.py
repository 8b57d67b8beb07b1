"""Which values a cell changed, of those that it could reach."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.analysis.facts.extract import SourceFacts
from mlops_jupyter.capture.ipython_names import IPythonNames
from mlops_jupyter.capture.value_kinds import CODE, FROZEN, has_state, is_a
from mlops_jupyter.capture.value_store import ValueStore
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.runtime.fingerprints.fingerprint import Survey


class ValueChanges:
    """Compares values with their fingerprints in the store. `detect` refreshes the store; other methods only answer."""

    def __init__(self, namespace: Mapping[str, Any], values: ValueStore, ipython_names: IPythonNames) -> None:
        self._namespace = namespace
        self._values = values
        self._ipython_names = ipython_names

    def detect(self, direct: set[str], rebound: set[str], read: frozenset[str]) -> dict[str, str]:
        """Return the names whose values changed, with their fingerprints now.

        Parameters
        ----------
        direct : names that the cell or its functions name.
        rebound : names that stand for another object now.
        read : names whose values its text takes.

        Names that share an object with another are only compared if that object changed: as long as all values that the
        cell names are the same, nothing that can be reached from them has changed.
        """
        changed: dict[str, str] = {}
        looked: set[str] = set()
        todo = direct | rebound
        while todo:
            before = {name: self._values.snapshot(name) for name in todo if self._values.known(name)}
            was = {name: self._values.fingerprint(name) for name in before}
            changed |= self._refresh(todo, rebound, was)
            looked |= todo
            suspects = before.keys() - (rebound - read)
            todo = set().union(*(self._affected(n, before[n], n not in changed) for n in suspects)) - looked
        return dict(sorted(changed.items()))

    def extended(self, facts: SourceFacts) -> set[str]:
        """Return functions and classes of earlier cells that got an attribute from a cell, or a registration."""
        names = {s.sets_up for s in facts.statements if s.sets_up and not s.option} - facts.definitions
        values = {name: self._namespace.get(name) for name in names}
        return {n for n, v in values.items() if is_a(v, *CODE) and getattr(v, "__module__", "") == "__main__"}

    def is_value(self, name: str) -> bool:
        """Whether a name holds something that can change in place: data, or a function or class with a state."""
        if name not in self._namespace:
            return False
        value = self._namespace[name]
        return has_state(value) if is_a(value, *CODE) else True

    def _refresh(self, names: set[str], rebound: set[str], was: Mapping[str, str]) -> dict[str, str]:
        """Refresh names' values; return the names that are new or changed, with their fingerprints now."""
        present = sorted(n for n in names if n in self._namespace and not self._ipython_names.owns(n))
        code = [n for n in present if not self.is_value(n)]
        for name in code:
            self._values.forget(name)
        frozen = {n for n in was if n not in rebound and is_a(self._namespace.get(n), *FROZEN)}
        seen = [n for n in present if n not in code and n not in frozen]
        self._values.refresh(seen)
        changed: dict[str, str] = {n: Mark.CODE for n in code if n in rebound}
        for name in seen:
            now = self._values.fingerprint(name)
            if name in rebound or now != was.get(name) or now == Mark.UNKNOWN:
                changed[name] = Mark.CODE if is_a(self._namespace[name], *CODE) else now
        return changed

    def _affected(self, name: str, before: Survey, same: bool) -> set[str]:
        return self._values.affected(name, before, sure=same and not self._is_view(name))

    def _is_view(self, name: str) -> bool:
        """Whether a value lies in the memory of another, of which it shows only a part."""
        numpy, value = sys.modules.get("numpy"), self._namespace.get(name)
        return numpy is not None and is_a(value, numpy.ndarray) and getattr(value, "base", None) is not None
