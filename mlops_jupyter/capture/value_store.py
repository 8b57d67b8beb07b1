"""The store of values: for each name the fingerprint of its value, and the mutable objects that the value reaches.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops_jupyter.capture.value_kinds import FROZEN
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.runtime.fingerprints.fingerprint import Survey, Unfingerprintable, surveys
from mlops_jupyter.runtime.hashing import kernel_hasher

BUDGET_SECONDS = 0.5
"""A value that takes longer is recorded as unknown, and treated as changed by whoever could reach it."""


class ValueStore:
    """Remembers values by fingerprint only; holds no reference to any of them.

    `refresh` reads the namespace and changes what is remembered; the rest only answers. A value that took longer than
    the budget is not read again as long as its name stands for the same object: it would stall every cell that uses
    it. If even finding what it shares took longer, it is not looked at again at all, and counts as sharing with all
    that was looked at together with it, since only a cell that got hold of it can have put something of it elsewhere.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._hasher = kernel_hasher()
        self._namespace = namespace
        self._seen: dict[str, Survey] = {}
        self._owners: dict[int, set[str]] = {}
        self._slow: dict[str, int] = {}
        """Name -> `id` of the value that took too long."""
        self._tied: dict[str, set[str]] = {}
        """Names that may share objects, where it could not be found out."""

    def refresh(self, names: Sequence[str]) -> None:
        """Take the fingerprints of names' values now, in place of those remembered."""
        slow = {n for n in names if self._slow.get(n) == id(self._namespace[n])}
        vague = {n for n in slow if self._seen[n].vague}
        fresh = [n for n in names if n not in vague]
        unread = {self._slow[n] for n in slow}
        values = (self._namespace[n] for n in fresh)
        try:
            taken = surveys(
                values, new=self._hasher, budget_seconds=BUDGET_SECONDS, unread=unread, owned=self._has_owners
            )
        except KeyboardInterrupt:  # the user's patience ended sooner
            taken = [Survey(Unfingerprintable("looking at it was interrupted"), frozenset(), vague=True) for _ in fresh]
        everyones = _process_wide()
        for name, survey in zip(fresh, taken, strict=True):
            kept = self._seen[name].objects if survey.vague and name in self._seen else frozenset()
            self.forget(name)
            if kept or not everyones.isdisjoint(survey.objects):
                survey = replace(survey, objects=survey.objects - everyones | kept)
            self._seen[name] = survey
            for key in survey.objects:
                self._owners.setdefault(key, set()).add(name)
            if survey.slow:
                self._slow[name] = id(self._namespace[name])
            if not survey.vague:
                self._untie(name)
        for name in self._vague(names):
            self._tie(name, names)

    def _vague(self, names: Sequence[str]) -> set[str]:
        """Return those of some names, and of the names tied to them, whose objects are not all known."""
        near = set(names).union(*(self._tied.get(name, ()) for name in names))
        return {name for name in near if name in self._seen and self._seen[name].vague}

    def _tie(self, name: str, names: Sequence[str]) -> None:
        """Assume that a name shares objects with others, and with the names tied to those, unless they are frozen."""
        for other in set(names).union(*(self._tied.get(other, ()) for other in names)) - {name}:
            if not issubclass(type(self._namespace.get(other)), FROZEN):
                self._tied.setdefault(name, set()).add(other)
                self._tied.setdefault(other, set()).add(name)

    def _untie(self, name: str) -> None:
        """Drop the assumption that a name shares objects, except with names whose own objects are not all known."""
        for other in [o for o in self._tied.get(name, ()) if o not in self._seen or not self._seen[o].vague]:
            self._tied[name].discard(other)
            self._tied[other].discard(name)

    def forget(self, name: str) -> None:
        """Drop what is remembered of a name."""
        self._slow.pop(name, None)
        seen = self._seen.pop(name, None)
        for key in seen.objects if seen else ():
            owners = self._owners.get(key)
            if owners:
                owners.discard(name)
                if not owners:
                    del self._owners[key]

    def known(self, name: str) -> bool:
        """Whether the name's value has been looked at since it was last forgotten."""
        return name in self._seen

    def fingerprint(self, name: str) -> str:
        """Return the remembered fingerprint, `Mark.UNKNOWN` where none could be taken."""
        mark = self._seen[name].fingerprint
        return Mark.UNKNOWN if isinstance(mark, Unfingerprintable) else mark

    def reason(self, name: str) -> str:
        """Return why a name has no fingerprint, "" if it has one."""
        mark = self._seen[name].fingerprint
        return mark.reason if isinstance(mark, Unfingerprintable) else ""

    def sharing(self, name: str) -> frozenset[str]:
        """Return the other names whose values reach an object that this name's value reaches, too."""
        others = {other for other in self._tied.get(name, ()) if other in self._seen}
        seen = self._seen.get(name)
        for key in seen.objects if seen else ():
            others |= self._owners.get(key, set())
        others.discard(name)
        return frozenset(others)

    def snapshot(self, name: str) -> Survey:
        """Return the survey of a name's value from its last refresh, which `affected` compares with a later one."""
        return self._seen[name]

    def affected(self, name: str, before: Survey, sure: bool) -> set[str]:
        """Return the other names that may have changed with a name, since they share an object that may be another now.

        Parameters
        ----------
        sure : whether objects of which too little is known (what only libraries see, the inside of frames and of
            plain data) count as the same if the value still holds them, since the value is the same.
        """
        now = self._seen.get(name)
        after, held = (now.digests, now.objects) if now else ({}, frozenset())
        others: set[str] = set()
        for key in before.objects & self._owners.keys():
            was, is_ = before.digests.get(key), after.get(key)
            if not (sure and key in held if was is None or is_ is None else was == is_):
                others |= self._owners[key]
        if not sure:
            others |= {other for other in self._tied.get(name, ()) if other in self._seen}
        return others - {name}

    def _has_owners(self, key: int) -> bool:
        return len(self._owners.get(key, ())) > 1

    def alias_groups(self, names: Iterable[str]) -> tuple[frozenset[str], ...]:
        """Return the sets of names that share objects, directly or through others, and that hold one of some names."""
        grouped: set[str] = set()
        groups = []
        for name in names:
            if name in grouped:
                continue
            group, todo = {name}, [name]
            while todo:
                for other in self.sharing(todo.pop()) - group:
                    group.add(other)
                    todo.append(other)
            grouped |= group
            if len(group) > 1:
                groups.append(frozenset(group))
        return tuple(groups)


def _process_wide() -> frozenset[int]:
    """Return the ids of objects that libraries share with all code; sharing these does not tie two names together."""
    numpy_random = sys.modules.get("numpy.random.mtrand")
    shared = getattr(numpy_random, "_rand", None)
    if shared is None:
        return frozenset()
    bits = shared._bit_generator
    return frozenset({id(shared), id(bits), id(bits.lock), id(bits.seed_seq)})
