"""Which object each name of the namespace stands for, and what has changed of that since.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import ne
from typing import Any

PLACE = object.__hash__
"""Tells objects apart as `id` does, from which it is made. `id` raises an audit event each time (PEP 578), and while
somebody listens, as we do for files, that takes several times as long."""


class NamespaceSnapshot:
    """How names stood at one moment. Holds none of their objects.

    No Python code runs for each name: a long session has thousands (`_i1` …).

    Examples
    --------
    >>> names = {"a": 1, "b": [], "c": 2.5}
    >>> before = NamespaceSnapshot(names)
    >>> names |= {"b": [], "d": None}
    >>> sorted(before.rebound(names)), before.deleted(names), "d" in before
    (['b', 'd'], set(), False)
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._names, self._places = _now(namespace)
        self._known = frozenset(self._names)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def rebound(self, namespace: Mapping[str, Any]) -> set[str]:
        """Return the names that stand for another object now, and those that are new."""
        names, places = _now(namespace)
        if self._all_in(names):
            return {*compress(self._names, map(ne, self._places, places)), *names[len(self._names) :]}
        before = zip(self._names, self._places, strict=True)
        return {name for name, _ in {*zip(names, places, strict=True)}.difference(before)}

    def deleted(self, namespace: Mapping[str, Any]) -> set[str]:
        """Return the names that are there no more."""
        names = tuple(dict(namespace))
        return set() if self._all_in(names) else {*self._known.difference(names)}

    def _all_in(self, names: tuple[str, ...]) -> bool:
        """Whether these are the first of all names now: one that is bound anew keeps its place."""
        return self._names == names[: len(self._names)]


def _now(namespace: Mapping[str, Any]) -> tuple[tuple[str, ...], list[int]]:
    moment = dict(namespace)  # in one go: another thread may bind names meanwhile
    return tuple(moment), list(map(PLACE, moment.values()))
