"""What each name's value was when last seen: its fingerprint, and which mutable objects it reaches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops_jupyter.runtime.fingerprint import Survey, Unfingerprintable, surveys
from mlops_jupyter.runtime.hashing import kernel_hasher

BUDGET_SECONDS = 0.5
"""A value that takes longer is recorded as unknown, and treated as changed by whoever could reach it."""

UNKNOWN = "?"
"""Stands for a fingerprint where none could be taken."""

FROZEN = (int, float, complex, bool, str, bytes, type(None), range)
"""Types whose values cannot change in place, so that only a rebinding needs looking at."""


class Values:
    """Remembers values by fingerprint only; holds no reference to any of them.

    `look` reads the namespace and changes what is remembered; the rest only answers. A value that took longer than
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

    def look(self, names: Sequence[str]) -> None:
        """Take the fingerprints of names' values now, and remember them instead of what was known."""
        slow = {n for n in names if self._slow.get(n) == id(self._namespace[n])}
        vague = {n for n in slow if self._seen[n].vague}
        fresh = [n for n in names if n not in vague]
        unread = {self._slow[n] for n in slow}
        values = (self._namespace[n] for n in fresh)
        try:
            found = surveys(
                values, new=self._hasher, budget_seconds=BUDGET_SECONDS, unread=unread, owned=self._has_owners
            )
        except KeyboardInterrupt:  # the user's patience ended sooner
            found = [Survey(Unfingerprintable("looking at it was interrupted"), frozenset(), vague=True) for _ in fresh]
        everyones = _process_wide()
        for name, seen in zip(fresh, found, strict=True):
            kept = self._seen[name].objects if seen.vague and name in self._seen else frozenset()
            self.forget(name)
            if kept or not everyones.isdisjoint(seen.objects):
                seen = replace(seen, objects=seen.objects - everyones | kept)
            self._seen[name] = seen
            for key in seen.objects:
                self._owners.setdefault(key, set()).add(name)
            if seen.slow:
                self._slow[name] = id(self._namespace[name])
            if not seen.vague:
                self._untie(name)
        for name in self._vague(names):
            self._tie(name, names)

    def _vague(self, names: Sequence[str]) -> set[str]:
        """Names of whose objects some may be missing: of these names, and of what these are tied to."""
        near = set(names).union(*(self._tied.get(name, ()) for name in names))
        return {name for name in near if name in self._seen and self._seen[name].vague}

    def _tie(self, name: str, names: Sequence[str]) -> None:
        """Let a name share with others, and with what those are tied to, as far as they can share at all."""
        for other in set(names).union(*(self._tied.get(other, ()) for other in names)) - {name}:
            if not issubclass(type(self._namespace.get(other)), FROZEN):
                self._tied.setdefault(name, set()).add(other)
                self._tied.setdefault(other, set()).add(name)

    def _untie(self, name: str) -> None:
        """Let a name go whose objects are known, but for those others whose objects are not."""
        for other in [o for o in self._tied.get(name, ()) if o not in self._seen or not self._seen[o].vague]:
            self._tied[name].discard(other)
            self._tied[other].discard(name)

    def forget(self, name: str) -> None:
        """Drop what is remembered of a name, if anything."""
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
        """Return the remembered fingerprint, `UNKNOWN` where none could be taken."""
        found = self._seen[name].fingerprint
        return UNKNOWN if isinstance(found, Unfingerprintable) else found

    def reason(self, name: str) -> str:
        """Why a name has no fingerprint; "" if it has one."""
        found = self._seen[name].fingerprint
        return found.reason if isinstance(found, Unfingerprintable) else ""

    def sharing(self, name: str) -> frozenset[str]:
        """Names whose values reach an object that this name's value reaches too, itself left out."""
        others = {other for other in self._tied.get(name, ()) if other in self._seen}
        seen = self._seen.get(name)
        for key in seen.objects if seen else ():
            others |= self._owners.get(key, set())
        others.discard(name)
        return frozenset(others)

    def seen(self, name: str) -> Survey:
        """Return what was seen of a name when it was last looked at; `moved` compares with it."""
        return self._seen[name]

    def moved(self, name: str, before: Survey, sure: bool) -> set[str]:
        """Return the names that share with what a name was before an object that is not known to be the same now.

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

    def groups(self, names: Iterable[str]) -> tuple[frozenset[str], ...]:
        """Cut names, with all that share objects with them, into sets that share; singles are left out."""
        done: set[str] = set()
        found = []
        for name in names:
            if name in done:
                continue
            group, todo = {name}, [name]
            while todo:
                for other in self.sharing(todo.pop()) - group:
                    group.add(other)
                    todo.append(other)
            done |= group
            if len(group) > 1:
                found.append(frozenset(group))
        return tuple(found)


def _process_wide() -> frozenset[int]:
    """Objects that libraries share with everyone: sharing them does not tie two names together."""
    numpy_random = sys.modules.get("numpy.random.mtrand")
    shared = getattr(numpy_random, "_rand", None)
    if shared is None:
        return frozenset()
    bits = shared._bit_generator
    return frozenset({id(shared), id(bits), id(bits.lock), id(bits.seed_seq)})
