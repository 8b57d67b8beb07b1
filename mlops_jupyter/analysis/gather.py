"""Joins what the statements of a cell do, one after another, to the facts of the cell."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.doubts import MARKS
from mlops_jupyter.analysis.grammar import walk
from mlops_jupyter.analysis.notes import Notes
from mlops_jupyter.analysis.scopes import NOTHING, Late, Names, Scope, ScopeKind, unsettled
from mlops_jupyter.analysis.settings import sets_option, sets_up
from mlops_jupyter.analysis.source import SourceFacts, Statement
from mlops_jupyter.analysis.spans import assigned_literals, kind_of, span


def gather(source: str, tree: ast.Module) -> SourceFacts:
    """Return the facts of a parsed cell."""
    cell = _Cell(Notes(source))
    for node in tree.body:
        cell.add(node)
    return cell.facts()


class _Cell:
    """What the statements so far do together."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.late: dict[str, Late] = {}
        self.settled: Names = NOTHING
        self.undone: Names = NOTHING
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
        """Take in the next statement."""
        notes = self.notes
        notes.text_names = set()
        lent = len(notes.code)
        scope = Scope(ScopeKind.MODULE, notes)
        scope.late = self.late
        walk(scope, node)
        literals = assigned_literals(node)
        statement = _statement(node, scope, literals, self._end, list(notes.code.values())[lent:])
        self._end = statement.span.end_line
        self.statements.append(statement)
        self.reads |= statement.reads - self.settled
        self._loads.append((self.settled, scope.loads))
        self.settled |= scope.settled
        self.undone = (self.undone - (scope.settled - scope.undone)) | scope.undone
        for name, places in scope.bound.items():
            self.bound[name] = self.bound.get(name, 0) + places
        self.deletes |= scope.deleted
        if isinstance(node, ast.For | ast.AsyncFor):
            self.loops.append(_loop(node, scope.bound))
        self.literals.update(literals)
        self.text_names |= notes.text_names

    def facts(self) -> SourceFacts:
        """Return the facts of the statements together."""
        if self.late:
            self._call_late()
        notes, found = self.notes, self.notes.causes
        writes = frozenset(self.bound) - MARKS
        changed_late = frozenset().union(*(late.writes | late.deletes for late in self.late.values()))
        return SourceFacts(
            reads=frozenset(self.reads) - MARKS,
            late_reads={
                name: frozenset(late.free | late.reads) for name, late in self.late.items() if name not in MARKS
            },
            writes=writes,
            sure_writes=(self.settled - self.undone) & writes,
            looped=self._looped(),
            late_writes={
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
            text_reads=frozenset(self.text_names),
            spoken=frozenset(notes.spoken),
            causes=(*found.found, *(cause for name, cause in found.ordered if name in found.sets)),
            sets=frozenset(found.sets),
            ordered=tuple(found.ordered),
            uncertain=tuple(notes.doubts),
            statements=tuple(self.statements),
            awaits=notes.awaits,
        )

    def _looped(self) -> dict[str, Names]:
        found: dict[str, Names] = {}
        for targets, bound in self.loops:
            alone = frozenset(name for name, places in bound.items() if self.bound[name] == places) - MARKS
            found |= {name: alone | {name} for name in targets - self.undone}
        return found

    def _call_late(self) -> None:
        """Count what the cell's functions do as done wherever its top level names them: it may call them there."""
        deleted: set[str] = set()
        for before, loads in self._loads:
            for name in loads.keys() & self.late.keys():
                reached = self._reached(name)
                self.reads |= (reached.reads - before) - loads[name]
                for written in reached.writes:
                    self.bound[written] = self.bound.get(written, 0) + 1
                deleted |= reached.deletes
        self.deletes |= deleted
        self.undone |= deleted

    def _reached(self, name: str) -> Late:
        """Return what calling a function may do, through the cell's other functions that it names."""
        total, todo, seen = Late(), [name], {name}
        while todo:
            late = self.late[todo.pop()]
            total.add(late)
            total.reads |= late.free
            new = ((late.free | late.reads) & self.late.keys()) - seen
            seen |= new
            todo.extend(new)
        return total


def _loop(node: ast.For | ast.AsyncFor, bound: dict[str, int]) -> tuple[set[str], dict[str, int]]:
    """Return the names that a loop binds each time round, and what it binds only if it does go round."""
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
        sure_writes=(scope.settled - scope.undone) & writes,
        deletes=frozenset(scope.deleted),
        text_reads=frozenset(scope.notes.text_names),
        sets_up=sets_up(node) or library,
        option=option,
        lends=frozenset().union(*(each.free | each.reads for each in late)) - MARKS,
    )
