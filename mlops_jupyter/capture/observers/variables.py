"""The notebook's own variables: which of them a cell read, bound, changed in place and deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_jupyter.analysis.facts.extract import SourceFacts
from mlops_jupyter.capture.active_cell import ActiveCell, NameChanges
from mlops_jupyter.capture.evaluated_text import EvaluatedText
from mlops_jupyter.capture.ipython_names import IPythonNames
from mlops_jupyter.capture.namespace_snapshot import NamespaceSnapshot
from mlops_jupyter.capture.observer import Accesses
from mlops_jupyter.capture.reachable_names import ReachableNames
from mlops_jupyter.capture.value_changes import ValueChanges
from mlops_jupyter.capture.value_kinds import CODE, FROZEN, is_a, is_ours, plain
from mlops_jupyter.capture.value_store import ValueStore
from mlops_jupyter.core.executions import Execution, Mark
from mlops_jupyter.runtime.codecs import is_picklable

QUERY = re.compile(r"\b(?:sql|query|execute|eval|sqldf)\(").search
"""Search a text for a call that may read variables which its argument names."""

FIELDS = re.compile(r"\b[rR]?[fF][rR]?['\"]|\.format\(|%\s*[\w(]|\+").search
"""Search a text for what puts values into a string."""

UNPICKLABLE_BYTES = 1 << 19
"""Bytes of a pickle (some milliseconds of work) in which it must show whether a value that a cell lets go of could have
left the process. Not seconds: what is found must not depend on the machine's load."""


class Variables:
    """Observes the names of the namespace and the values that a cell could reach through them."""

    def __init__(self, namespace: Mapping[str, Any], ipython_names: IPythonNames, history: Sequence[Execution]) -> None:
        self._namespace = namespace
        self._ipython_names = ipython_names
        self._history = history
        self._values = ValueStore(namespace)
        self._evaluated = EvaluatedText(namespace)
        self._reachable = ReachableNames(namespace, self._values)
        self._changes = ValueChanges(namespace, self._values, ipython_names)
        self._named: frozenset[str] = frozenset()

    def before(self, cell: ActiveCell) -> None:
        """Take the fingerprints of values that the cell may reach and that are new, and note how the names stand."""
        facts = cell.facts
        self._named = self._named_by_values(facts, cell.body)
        reached = self._reachable.names(facts.reads | facts.string_reads | self._named)
        self._values.refresh([n for n in sorted(reached) if not self._values.known(n) and self._changes.is_value(n)])
        cell.snapshot = NamespaceSnapshot(self._namespace)
        written = facts.writes | facts.deletes
        cell.unpicklable = frozenset(n for n in written if self._is_unpicklable(n, cell.body))

    def after(self, cell: ActiveCell) -> Accesses:
        """Return the variables that the cell read and wrote; `cell.changes` gets the rest."""
        facts, snapshot = cell.facts, cell.snapshot
        moved = self.rebound(cell) | {n for n in cell.bound if n in self._namespace}
        rebound = moved | {n for n in facts.writes if n in self._namespace and (cell.succeeded or n in moved)}
        read = self._read(cell, rebound)
        reached = self._reachable.names(read | rebound)
        changed = self._changes.detect(self._reachable.direct(read | rebound), rebound, facts.reads)
        changed |= dict.fromkeys(self._changes.extended(facts), Mark.CODE)
        deleted = frozenset(n for n in snapshot.deleted(self._namespace) if not self._ipython_names.owns(n))
        for name in deleted:
            self._values.forget(name)
        groups = self._values.alias_groups(n for n in changed if n in self._namespace)
        kept = self._kept(cell, changed, moved)
        self._reachable.learn(facts, reached, changed)
        cell.changes = NameChanges(
            deletes=deleted,
            mutated=frozenset(changed.keys() - rebound),
            unpicklable=cell.unpicklable & (deleted | rebound),
            implicit_reads=frozenset(kept - read),
            alias_groups=groups,
        )
        return Accesses(read | kept, changed, [*facts.uncertain, *self._not_compared(changed)])

    def rebound(self, cell: ActiveCell) -> set[str]:
        """Return the names of the user's that stand for another object than before the cell, or are new."""
        return {name for name in cell.snapshot.rebound(self._namespace) if not self._ipython_names.owns(name)}

    def leaves_alone(self, cell: ActiveCell) -> bool:
        """Whether a cell cannot have changed anything itself: it binds nothing, nor reaches what can change."""
        reached = self._reachable.direct(cell.facts.reads) | cell.facts.writes
        own = [name for name in reached if not self._ipython_names.owns(name)]
        fixed = all(name in self._namespace and is_a(self._namespace[name], *FROZEN, *CODE) for name in own)
        return fixed and not cell.facts.writes and not cell.headers

    def _named_by_values(self, facts: SourceFacts, body: str) -> frozenset[str]:
        """Return the variables that values of others name, where those go into a query: f"select * from {table}"."""
        if not QUERY(body) or not FIELDS(body):
            return frozenset()
        values = [*(self._namespace.get(name) for name in facts.reads), *facts.literals.values()]
        return frozenset(value for value in values if type(value) is str and value in self._namespace)

    def _is_unpicklable(self, name: str, body: str) -> bool:
        """Whether the value of a name that a cell may let go of cannot leave the process; later nobody can tell.

        A cell that runs again makes another value of the same kind.
        """
        if (
            not self._values.known(name)
            or self._values.fingerprint(name) == Mark.UNKNOWN
            or plain(self._namespace[name])
        ):
            return False
        maker = next((e for e in reversed(self._history) if name in e.writes and name not in e.mutated), None)
        return (maker is None or maker.body != body) and not is_picklable(self._namespace[name], UNPICKLABLE_BYTES)

    def _read(self, cell: ActiveCell, rebound: set[str]) -> set[str]:
        """Return the names whose values from before the cell its code takes, itself or in functions that it calls."""
        facts = cell.facts
        read = self._from_before(cell, facts.reads | facts.string_reads | self._named)
        read |= self._from_before(cell, self._reachable.called(read | (facts.reads & rebound)))
        evaluated = self._from_before(cell, self._evaluated.names(cell, read | facts.reads))
        if evaluated:
            read |= evaluated | self._from_before(cell, self._reachable.called(evaluated))
        return read - cell.bound

    def _from_before(self, cell: ActiveCell, names: Iterable[str]) -> set[str]:
        return {n for n in names if n in cell.snapshot and not self._ipython_names.owns(n)}

    def _kept(self, cell: ActiveCell, changed: Mapping[str, str], moved: set[str]) -> set[str]:
        """Return the changed names whose values still depend on what they were before the cell.

        These are all that it did not bind anew on every path through its code.
        """
        anew: set[str] | frozenset[str] = cell.bound
        if cell.succeeded:
            anew = cell.facts.definite_writes | self._bound_by_loops(cell.facts, moved) | cell.bound
        return {name for name in changed if name in cell.snapshot and name not in anew}

    def _bound_by_loops(self, facts: SourceFacts, moved: set[str]) -> set[str]:
        """Return the names that a loop has bound, for it went round: something that it alone binds is another now.

        Where it does not go round, with other parameters, a step that needs one of them fails: there is none.
        """
        if not facts.loop_bound:
            return set()
        moved = moved - self._reachable.called(facts.reads)
        return {name for name, bound in facts.loop_bound.items() if bound & moved}

    def _not_compared(self, changed: Mapping[str, str]) -> list[str]:
        unknown = [n for n, mark in changed.items() if mark == Mark.UNKNOWN and not is_ours(self._namespace[n])]
        reasons = {n: self._values.reason(n) for n in unknown}
        return [f"{n!r} cannot be compared: {why}" for n, why in reasons.items() if why != "it holds a figure"]
