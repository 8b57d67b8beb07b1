"""Names in one scope of Python's grammar, and how they come out of it.

The rules are those of the language reference, "Resolution of names", and of CPython's symtable: a class body hides
nothing from functions inside it, comprehensions are functions whose first iterable belongs outside, a walrus binds
outside of comprehensions, and a name that a class binds is looked up in the class and then among the globals, never in
between.

Flow is followed, too. A name is *settled* at a point once the value it had before the cell can no longer be seen there:
it was bound, or deleted, on every path that leads to the point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from mlops_jupyter.analysis.facts.visit_state import VisitState

Names = frozenset[str]
NOTHING: Names = frozenset()


class ScopeKind(Enum):
    """What opened the scope."""

    MODULE = "the cell's top level"
    FUNCTION = "def or lambda"
    CLASS = "class body"
    COMPREHENSION = "comprehension or generator expression"


class Assignment(NamedTuple):
    """What is known at a point of the program.

    Attributes
    ----------
    assigned : names whose earlier value cannot be seen here.
    unassigned : names that may be unbound here by a `del`.
    unreachable : the point cannot be reached.
    """

    assigned: Names
    unassigned: Names
    unreachable: bool


def join(*flows: Assignment) -> Assignment:
    """Return what is known where several paths meet. Paths that end before do not count."""
    alive = [flow for flow in flows if not flow.unreachable]
    if not alive:
        return flows[0]
    settled, undone = alive[0].assigned, alive[0].unassigned
    for flow in alive[1:]:
        settled &= flow.assigned
        undone |= flow.unassigned
    return Assignment(settled, undone, False)


@dataclass
class DeferredAccess:
    """What a function does to globals when it is called. `free` are names that an enclosing function may own."""

    free: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)

    def add(self, other: DeferredAccess) -> None:
        """Take in another one (changes this one)."""
        self.free |= other.free
        self.reads |= other.reads
        self.writes |= other.writes
        self.deletes |= other.deletes


class Scope:
    """Collects the names of one scope while its nodes are walked; `inner` scopes give theirs up when they end.

    Attributes
    ----------
    loads : name -> what was settled at every place that loads it. A name not in its own set may be read from before.
    outer_loads : the same, of inner scopes that do not see this one's names (it is a class).
    global_loads : the same, of names that are global whatever encloses this scope.
    bound : name -> how many places bind it.
    late : what functions bound here do when called, by name; kept apart where `keeps_late` (at the top level and in its
        classes). Inside functions there is no telling when they are called: their doings count at their definition.
    """

    __slots__ = (
        "assigned", "bound", "declared", "deleted", "entry", "global_deletes", "global_loads", "global_writes",
        "keeps_late", "kind", "late", "loads", "loops", "nonlocals", "notes", "outer", "outer_loads", "private",
        "unassigned", "unreachable",
    )  # fmt: skip

    def __init__(
        self, kind: ScopeKind, notes: VisitState, outer: Scope | None = None, entry: Names = NOTHING, private: str = ""
    ) -> None:
        self.kind = kind
        self.notes = notes
        self.outer = outer
        self.entry = entry
        self.private = private
        self.assigned: Names = entry
        self.unassigned: Names = NOTHING
        self.unreachable = False
        self.loads: dict[str, Names] = {}
        self.outer_loads: dict[str, Names] = {}
        self.global_loads: dict[str, Names] = {}
        self.bound: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.declared: set[str] = set()
        self.nonlocals: set[str] = set()
        self.global_writes: set[str] = set()
        self.global_deletes: set[str] = set()
        self.late: dict[str, DeferredAccess] = {}
        self.keeps_late: bool = kind is ScopeKind.MODULE or (
            kind is ScopeKind.CLASS and outer is not None and outer.keeps_late
        )
        self.loops: list[
            tuple[list[Assignment], list[Assignment]]
        ] = []  # of each open loop: flows at its breaks, at its continues

    # Flow

    def flow(self) -> Assignment:
        """Return what is known here."""
        return Assignment(self.assigned, self.unassigned, self.unreachable)

    def resume(self, flow: Assignment) -> None:
        """Go on from a point (changes this scope)."""
        self.assigned, self.unassigned, self.unreachable = flow

    def passed_on(self) -> Names:
        """Return the settled globals that an inner scope may rely on; our own locals are no globals."""
        if self.kind is ScopeKind.MODULE or self.kind is ScopeKind.COMPREHENSION:
            return self.assigned
        return self.entry | (self.assigned & self.declared)

    # Names

    def mangled(self, name: str) -> str:
        """Return the name as the compiler stores it: `__x` in a class `C` is `_C__x`."""
        if self.private and name.startswith("__") and not name.endswith("__"):
            return f"_{self.private}{name}"
        return name

    def load(self, name: str) -> None:
        """Note that a name is read here."""
        if self.private:
            name = self.mangled(name)
        settled = self.loads.get(name)
        if settled is None:
            self.loads[name] = self.assigned
        elif settled is not self.assigned:
            self.loads[name] = settled & self.assigned

    def bind(self, name: str) -> None:
        """Note that a name is bound here."""
        name = self.mangled(name)
        self.bound[name] = self.bound.get(name, 0) + 1
        if self.kind is ScopeKind.COMPREHENSION:
            return
        if name not in self.assigned:
            self.assigned |= {name}
        if self.unassigned:
            self.unassigned -= {name}
        if name in self.declared:
            self.global_writes.add(name)

    def may_bind(self, name: str) -> None:
        """Note that a name may be bound here, or by something called here."""
        name = self.mangled(name)
        self.bound[name] = self.bound.get(name, 0) + 1
        if name in self.declared:
            self.global_writes.add(name)

    def delete(self, name: str) -> None:
        """Note that a name is deleted here; it must have been there."""
        self.load(name)
        self.unbind(name)

    def unbind(self, name: str) -> None:
        """Note that a name is gone from here on."""
        name = self.mangled(name)
        self.deleted.add(name)
        self.assigned |= {name}
        self.unassigned |= {name}
        if name in self.declared:
            self.global_deletes.add(name)

    def declare(self, names: Iterable[str]) -> None:
        """Note a `global` statement. What was settled under the name, if anything, was another variable."""
        if self.kind is not ScopeKind.MODULE:
            found = frozenset(map(self.mangled, names))
            self.declared |= found
            self.assigned -= found - self.entry

    # Inner scopes

    def keep(self, name: str, late: DeferredAccess) -> None:
        """Note what the function of that name does when called; one of several definitions may be the one called."""
        self.late.setdefault(self.mangled(name), DeferredAccess()).add(late)

    def call_late(self) -> None:
        """Count what our own functions do as done where the class body names them (it may call them)."""
        for name in self.late.keys() & self.loads.keys():
            late = self.late[name]
            settled = self.loads[name] & (self.entry | self.declared)  # what the class binds hides nothing from them
            _merge(self.outer_loads, dict.fromkeys(late.free, settled))
            _merge(self.global_loads, dict.fromkeys(late.reads, settled))
            self.global_writes |= late.writes
            self.global_deletes |= late.deletes

    def absorb(self, inner: Scope) -> None:
        """Take in what an inner scope does, here and now (its body runs here, or may)."""
        free, known = inner.outgoing()
        target = self.outer_loads if self.kind is ScopeKind.CLASS else self.loads
        _merge(target, free)
        _merge(self.loads if self.kind is ScopeKind.MODULE else self.global_loads, known)
        if self.kind is ScopeKind.MODULE:
            for name in inner.global_writes:
                self.may_bind(name)
            for name in inner.global_deletes:
                self.deleted.add(name)
                self.unassigned |= {name}
        else:
            self.global_writes |= inner.global_writes
            self.global_deletes |= inner.global_deletes

    def outgoing(self) -> tuple[dict[str, Names], dict[str, Names]]:
        """Return the loads that leave this scope: those an enclosing function may own, and those surely global."""
        free, known = dict(self.outer_loads), dict(self.global_loads)
        is_class = self.kind is ScopeKind.CLASS
        own = self.bound.keys() | self.deleted
        for name, settled in self.loads.items():
            if name in self.declared:
                _merge(known, {name: settled})
            elif name not in own or name in self.nonlocals:
                _merge(free, {name: settled})
            elif is_class and name not in settled:  # `x = x` in a class: the class has none yet, so the global is taken
                _merge(known, {name: settled})
        return free, known

    def as_late(self, whenever: bool = False) -> DeferredAccess:
        """Return what this function does when it is called: after what its definition saw settled, or `whenever`."""
        free, known = self.outgoing()
        pick = set if whenever else unsettled
        return DeferredAccess(pick(free), pick(known), set(self.global_writes), set(self.global_deletes))


def unsettled(loads: dict[str, Names]) -> set[str]:
    """Return the names that some place loads while their earlier value can still be seen."""
    return {name for name, settled in loads.items() if name not in settled}


def _merge(into: dict[str, Names], loads: dict[str, Names]) -> None:
    for name, settled in loads.items():
        before = into.get(name)
        into[name] = settled if before is None else before & settled
