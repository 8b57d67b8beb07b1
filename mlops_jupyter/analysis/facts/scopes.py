"""The names of one scope, and their resolution in the scopes around it.

The rules are those of the language reference, "Resolution of names", and of CPython's symtable: a class body hides
nothing from functions inside it, comprehensions are functions whose first iterable belongs outside, a walrus binds
outside of comprehensions, and a name that a class binds is looked up in the class and then among the globals, never in
between.

Control flow is followed, too (the compiler's definite assignment). A name is *assigned* at a point once the value that
it had before the cell can no longer be seen there: it was bound, or deleted, on every path that leads to the point.
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
    """The kinds of scopes; each value says what opens one."""

    MODULE = "the cell's top level"
    FUNCTION = "def or lambda"
    CLASS = "class body"
    COMPREHENSION = "comprehension or generator expression"


class Assignment(NamedTuple):
    """The definite assignment at a point of the program.

    Attributes
    ----------
    assigned : names whose earlier value cannot be seen here.
    unassigned : names that may be unbound here by a `del`.
    unreachable : whether no path leads here.
    """

    assigned: Names
    unassigned: Names
    unreachable: bool


def join(*flows: Assignment) -> Assignment:
    """Return the assignment where several paths meet. Unreachable paths do not count."""
    alive = [flow for flow in flows if not flow.unreachable]
    if not alive:
        return flows[0]
    assigned, unassigned = alive[0].assigned, alive[0].unassigned
    for flow in alive[1:]:
        assigned &= flow.assigned
        unassigned |= flow.unassigned
    return Assignment(assigned, unassigned, False)


@dataclass
class DeferredAccess:
    """The global names that a function accesses when it is called.

    Attributes
    ----------
    free : free variables, which an enclosing function may own instead.
    reads : global names that the function reads.
    writes : global names that the function binds.
    deletes : global names that the function deletes.
    """

    free: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)

    def add(self, other: DeferredAccess) -> None:
        """Add another function's accesses (changes this record)."""
        self.free |= other.free
        self.reads |= other.reads
        self.writes |= other.writes
        self.deletes |= other.deletes


class Scope:
    """Collects the names of one scope while its nodes are visited; an inner scope is absorbed when it ends.

    Attributes
    ----------
    loads : name -> names assigned at every place that loads it. A name not in its own set may be read from before.
    outer_loads : the same for loads of inner scopes that do not see this scope's names, because it is a class.
    global_loads : the same for names that are global whatever encloses this scope.
    bound : name -> how many places bind it.
    deleted : names that the scope may delete.
    declared : names of `global` statements.
    nonlocals : names of `nonlocal` statements.
    late : name of a function bound here -> its deferred access, where `keeps_late` is set.
    keeps_late : whether the scope is the top level or a class in it. Elsewhere nobody can tell when a function is
        called, so its accesses count at its definition.
    loops : for each open loop, the assignments at its `break` and at its `continue` statements.
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
        self.loops: list[tuple[list[Assignment], list[Assignment]]] = []

    # Flow

    def flow(self) -> Assignment:
        """Return the assignment at this point."""
        return Assignment(self.assigned, self.unassigned, self.unreachable)

    def resume(self, flow: Assignment) -> None:
        """Continue with the assignment of another point (changes this scope)."""
        self.assigned, self.unassigned, self.unreachable = flow

    def passed_on(self) -> Names:
        """Return the assigned globals that an inner scope may rely on; this scope's own locals are no globals."""
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
        """Note a read of a name."""
        if self.private:
            name = self.mangled(name)
        assigned = self.loads.get(name)
        if assigned is None:
            self.loads[name] = self.assigned
        elif assigned is not self.assigned:
            self.loads[name] = assigned & self.assigned

    def bind(self, name: str) -> None:
        """Note a binding of a name."""
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
        """Note a binding that may not happen, or that a function called here makes."""
        name = self.mangled(name)
        self.bound[name] = self.bound.get(name, 0) + 1
        if name in self.declared:
            self.global_writes.add(name)

    def delete(self, name: str) -> None:
        """Note `del` of a name, which reads the name, too: it must be bound."""
        self.load(name)
        self.unbind(name)

    def unbind(self, name: str) -> None:
        """Note that a name is unbound from here on."""
        name = self.mangled(name)
        self.deleted.add(name)
        self.assigned |= {name}
        self.unassigned |= {name}
        if name in self.declared:
            self.global_deletes.add(name)

    def declare(self, names: Iterable[str]) -> None:
        """Note a `global` statement. A variable assigned before under that name was another one, a local."""
        if self.kind is not ScopeKind.MODULE:
            mangled = frozenset(map(self.mangled, names))
            self.declared |= mangled
            self.assigned -= mangled - self.entry

    # Inner scopes

    def keep(self, name: str, late: DeferredAccess) -> None:
        """Note the deferred access of a function; of several definitions of a name any may be the one called."""
        self.late.setdefault(self.mangled(name), DeferredAccess()).add(late)

    def call_late(self) -> None:
        """Count the deferred accesses of a class's functions where the class body names them, as it may call them."""
        for name in self.late.keys() & self.loads.keys():
            late = self.late[name]
            assigned = self.loads[name] & (self.entry | self.declared)  # what the class binds hides nothing from them
            _merge(self.outer_loads, dict.fromkeys(late.free, assigned))
            _merge(self.global_loads, dict.fromkeys(late.reads, assigned))
            self.global_writes |= late.writes
            self.global_deletes |= late.deletes

    def absorb(self, inner: Scope) -> None:
        """Add the accesses of an inner scope whose body runs, or may run, at this point."""
        free, global_ = inner.outgoing()
        target = self.outer_loads if self.kind is ScopeKind.CLASS else self.loads
        _merge(target, free)
        _merge(self.loads if self.kind is ScopeKind.MODULE else self.global_loads, global_)
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
        """Return the loads of names that this scope does not own: free variables, and names that are surely global."""
        free, global_ = dict(self.outer_loads), dict(self.global_loads)
        is_class = self.kind is ScopeKind.CLASS
        own = self.bound.keys() | self.deleted
        for name, assigned in self.loads.items():
            if name in self.declared:
                _merge(global_, {name: assigned})
            elif name not in own or name in self.nonlocals:
                _merge(free, {name: assigned})
            elif is_class and name not in assigned:  # `x = x` in a class, which has no `x` yet: the global is read
                _merge(global_, {name: assigned})
        return free, global_

    def as_late(self, whenever: bool = False) -> DeferredAccess:
        """Return the deferred access of this function; names assigned at its definition are read only if `whenever`."""
        free, global_ = self.outgoing()
        pick = set if whenever else unsettled
        return DeferredAccess(pick(free), pick(global_), set(self.global_writes), set(self.global_deletes))


def unsettled(loads: dict[str, Names]) -> set[str]:
    """Return the names that are not assigned at every place that loads them."""
    return {name for name, assigned in loads.items() if name not in assigned}


def _merge(into: dict[str, Names], loads: dict[str, Names]) -> None:
    for name, assigned in loads.items():
        before = into.get(name)
        into[name] = assigned if before is None else before & assigned
