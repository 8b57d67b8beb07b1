"""Builds the facts of a cell from its statements, one after another."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.facts.grammar import visit
from mlops_jupyter.analysis.facts.records import SourceFacts, Statement
from mlops_jupyter.analysis.facts.scopes import NOTHING, DeferredAccess, Names, Scope, ScopeKind, unsettled
from mlops_jupyter.analysis.facts.uncertain_calls import MARKS
from mlops_jupyter.analysis.facts.visit_state import VisitState
from mlops_jupyter.analysis.library_setup import sets_option, sets_up
from mlops_jupyter.analysis.syntax.spans import assigned_literals, kind_of, span


def build_facts(source: str, tree: ast.Module) -> SourceFacts:
    """Return the facts of a parsed cell."""
    cell = _Cell(VisitState(source))
    for node in tree.body:
        cell.add(node)
    return cell.facts()


class _Cell:
    """Accumulates the facts of a cell's statements, in order."""

    def __init__(self, notes: VisitState) -> None:
        self.notes = notes
        self.late: dict[str, DeferredAccess] = {}
        self.assigned: Names = NOTHING
        self.unassigned: Names = NOTHING
        self.reads: set[str] = set()
        self.deletes: set[str] = set()
        self.loops: list[tuple[set[str], dict[str, int]]] = []
        self.bound: dict[str, int] = {}
        self.literals: dict[str, object] = {}
        self.text_names: set[str] = set()
        self.statements: list[Statement] = []
        self._loads: list[tuple[Names, dict[str, Names]]] = []
        self._end = 0

    def add(self, node: ast.stmt) -> None:
        """Add the next statement (changes this object)."""
        notes = self.notes
        notes.text_names = set()
        earlier_code = len(notes.code)
        scope = Scope(ScopeKind.MODULE, notes)
        scope.late = self.late
        visit(scope, node)
        literals = assigned_literals(node)
        statement = _statement(node, scope, literals, self._end, list(notes.code.values())[earlier_code:])
        self._end = statement.span.end_line
        self.statements.append(statement)
        self.reads |= statement.reads - self.assigned
        self._loads.append((self.assigned, scope.loads))
        self.assigned |= scope.assigned
        self.unassigned = (self.unassigned - (scope.assigned - scope.unassigned)) | scope.unassigned
        for name, places in scope.bound.items():
            self.bound[name] = self.bound.get(name, 0) + places
        self.deletes |= scope.deleted
        if isinstance(node, ast.For | ast.AsyncFor):
            self.loops.append(_loop(node, scope.bound))
        self.literals.update(literals)
        self.text_names |= notes.text_names

    def facts(self) -> SourceFacts:
        """Return the facts of the whole cell."""
        if self.late:
            self._call_late()
        notes, finder = self.notes, self.notes.causes
        writes = frozenset(self.bound) - MARKS
        changed_late = frozenset().union(*(late.writes | late.deletes for late in self.late.values()))
        return SourceFacts(
            reads=frozenset(self.reads) - MARKS,
            deferred_reads={
                name: frozenset(late.free | late.reads) for name, late in self.late.items() if name not in MARKS
            },
            writes=writes,
            definite_writes=(self.assigned - self.unassigned) & writes,
            loop_bound=self._looped(),
            deferred_writes={
                n: frozenset(late.writes | late.deletes) for n, late in self.late.items() if late.writes | late.deletes
            },
            deletes=frozenset(self.deletes),
            definitions=frozenset(notes.definitions) - MARKS,
            imports=notes.imports,
            star_imports=tuple(dict.fromkeys(notes.star_imports)),
            literals={
                name: value
                for name, value in self.literals.items()
                if self.bound[name] == 1 and name not in self.deletes and name not in changed_late
            },
            string_reads=frozenset(self.text_names),
            names_in_strings=frozenset(notes.names_in_strings),
            causes=(*finder.found, *(cause for name, cause in finder.ordered if name in finder.sets)),
            sets=frozenset(finder.sets),
            ordered=tuple(finder.ordered),
            uncertain=tuple(notes.doubts),
            statements=tuple(self.statements),
            awaits=notes.awaits,
        )

    def _looped(self) -> dict[str, Names]:
        loop_bound: dict[str, Names] = {}
        for targets, bound in self.loops:
            alone = frozenset(name for name, places in bound.items() if self.bound[name] == places) - MARKS
            loop_bound |= {name: alone | {name} for name in targets - self.unassigned}
        return loop_bound

    def _call_late(self) -> None:
        """Count the accesses of the cell's functions wherever its top level names them, as it may call them there."""
        deleted: set[str] = set()
        for before, loads in self._loads:
            for name in loads.keys() & self.late.keys():
                reached = self._reached(name)
                self.reads |= (reached.reads - before) - loads[name]
                for written in reached.writes:
                    self.bound[written] = self.bound.get(written, 0) + 1
                deleted |= reached.deletes
        self.deletes |= deleted
        self.unassigned |= deleted

    def _reached(self, name: str) -> DeferredAccess:
        """Return the accesses of a function and, transitively, of the cell's functions that it names."""
        total, todo, seen = DeferredAccess(), [name], {name}
        while todo:
            late = self.late[todo.pop()]
            total.add(late)
            total.reads |= late.free
            new = ((late.free | late.reads) & self.late.keys()) - seen
            seen |= new
            todo.extend(new)
        return total


def _loop(node: ast.For | ast.AsyncFor, bound: dict[str, int]) -> tuple[set[str], dict[str, int]]:
    """Return the names that a loop binds in each iteration, and all names that it binds only if it iterates."""
    targets = _stored(node.target)
    always = _stored(node.iter)
    return targets, {n: places for n, places in bound.items() if n in targets or not (node.orelse or n in always)}


def _stored(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _statement(
    node: ast.stmt, scope: Scope, literals: dict[str, object], previous_end: int, lent: list[Scope]
) -> Statement:
    late = [inner.as_late(whenever=True) for inner in lent]
    writes = frozenset(scope.bound) - MARKS
    library, option = sets_option(node)
    return Statement(
        kind=kind_of(node, literals),
        span=span(node, scope.notes.lines, previous_end),
        reads=frozenset(unsettled(scope.loads)) - MARKS,
        writes=writes,
        definite_writes=(scope.assigned - scope.unassigned) & writes,
        deletes=frozenset(scope.deleted),
        string_reads=frozenset(scope.notes.text_names),
        sets_up=sets_up(node) or library,
        option=option,
        escaping_reads=frozenset().union(*(access.free | access.reads for access in late)) - MARKS,
    )
