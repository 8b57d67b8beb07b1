"""The smallest part of a history that makes the value a name has now: executions, and of each the statements.

An execution is left out where nobody needs what it was seen to make. A statement is left out only where nobody needs
what it binds and `silence` proves that it does nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts.extract import SourceFacts, StatementKind, extract_facts
from mlops_jupyter.analysis.graph import AMBIENT, UNSEEN, Graph, join
from mlops_jupyter.analysis.purity import Purity, PurityCheck
from mlops_jupyter.analysis.side_effects import CURRENT, LISTING, draws, handles, remembering, reseeded, unseen
from mlops_jupyter.analysis.syntax.parsing import deeply, parse
from mlops_jupyter.core.executions import Execution, ExecutionStatus

HIDDEN = "~"
FILE = "~file:"
FIGURE = "~figure:"


@dataclass(frozen=True)
class SlicedCell:
    """What a slice keeps of one execution.

    Attributes
    ----------
    position : of the execution in the history.
    statements : of its top level, by number; all of them where the cell failed.
    names : what others need of it.
    takes : name -> position of the execution that made the value it starts from; None: it was there before.
    facts : of the execution's plain Python, all of it.
    """

    position: int
    statements: tuple[int, ...]
    names: frozenset[str]
    takes: Mapping[str, int | None]
    facts: SourceFacts


def cut(history: Sequence[Execution], text: Callable[[int], str], name: str) -> tuple[SlicedCell, ...]:
    """Return what made the value that a name has now, in the order in which it ran; nothing where nobody made it.

    Parameters
    ----------
    text : position -> the execution's plain Python. Asked for what is kept only.
    """
    return _Cut(history, text).of(name)


class _Cut:
    """One cutting. `needs` grows until every need of what is kept is met; nothing is ever taken back."""

    def __init__(self, history: Sequence[Execution], text: Callable[[int], str]) -> None:
        self._notebook = _Notebook(history)
        self._graph = self._notebook.graph
        self._text = text
        self._cells: dict[int, _Cell] = {}
        self._late: frozenset[str] = frozenset()
        self._lists = False
        self._needs: dict[int, set[str]] = {}

    def of(self, name: str) -> tuple[SlicedCell, ...]:
        if name not in self._graph.last:
            return ()
        self._needs[self._graph.last[name]] = {name}
        while True:
            before = self._size()
            kept = self._sweep()
            self._lists = any(LISTING.search(self._cell(each.position).text) for each in kept)
            self._late = frozenset().union(*(self._cell(each.position).late(each.statements) for each in kept))
            for each in kept:
                self._undo(each.position)
            if before == self._size():
                return tuple(each for each in reversed(kept) if each.statements or each.names - each.takes.keys())

    def _size(self) -> tuple[int, frozenset[str], bool]:
        return sum(map(len, self._needs.values())), self._late, self._lists

    def _sweep(self) -> list[SlicedCell]:
        """Meet every need once, from the latest execution to the first: a need is always of an earlier one."""
        kept = []
        for position in range(max(self._needs), -1, -1):
            if position in self._needs:
                names = frozenset(self._needs[position])
                statements = self._cell(position).keep(names, self._late)
                takes = self._takes(position, statements, names)
                for name, maker in takes.items():
                    if maker is not None:
                        self._needs.setdefault(maker, set()).add(name)
                kept.append(SlicedCell(position, statements, names, takes, self._cell(position).facts))
        return kept

    def _cell(self, position: int) -> _Cell:
        if position not in self._cells:
            self._cells[position] = _Cell(self._notebook, position, self._text(position))
        return self._cells[position]

    def _takes(self, position: int, statements: tuple[int, ...], names: Set[str]) -> dict[str, int | None]:
        """What the kept statements start from."""
        execution, cell = self._graph.history[position], self._cell(position)
        made = self._graph.producers[position]
        if cell.facts.uncertain:
            return {**dict.fromkeys(execution.reads), **self._notebook.before(position), **made}
        reads = (execution.reads - execution.implicit_reads) | (execution.implicit_reads & names)
        if len(statements) < len(cell.body):
            left = extract_facts(cell.source(statements))
            dropped = cell.facts.reads - left.reads - left.string_reads - self._late
            reads -= dropped - (names - left.definite_writes)  # what it does not bind anew goes through it as it was
        if cell.blind(statements):
            reads = frozenset(n for n in reads if not n.startswith(HIDDEN))
        else:
            reads = (reads | {n for n in made if n.startswith(AMBIENT)}) - reseeded(cell.loud(statements), cell.origin)
            if self._lists:
                made = {n: m for n, m in self._notebook.before(position).items() if n.startswith(FILE)} | {**made}
                reads |= {name for name in made if name.startswith(FILE)}
        takes = {name: made.get(name) for name in sorted(reads)}
        if CURRENT.search(cell.text):
            takes |= {f"{FIGURE}{p}": p for p in self._notebook.drawn if p < position}
        return takes

    def _undo(self, position: int) -> None:
        """See that what was over then is over in the slice, too: a name that was deleted, a file that was open."""
        latest = max(self._needs)
        for later, name in handles(self._graph.history, position):
            if later < latest:
                self._needs.setdefault(later, set()).add(name)
        for name, deleter in self._notebook.gone(position, self._cell(position).facts.reads).items():
            if any(other < deleter and name in self._graph.history[other].writes for other in list(self._needs)):
                self._needs.setdefault(deleter, set()).add(name)


class _Notebook:
    """What the whole history says: who made what, and which names mean what. Answers; never changes."""

    def __init__(self, history: Sequence[Execution]) -> None:
        texts = [to_python(execution.body) for execution in history]
        self.facts = [extract_facts(text) for text in texts]
        read = frozenset().union(
            *(reads for found in self.facts for reads in found.deferred_reads.values()),
            *(statement.reads | statement.string_reads for found in self.facts for statement in found.statements),
        )
        definitions = dict.fromkeys((n for found in self.facts for n in found.definitions), "a definition")
        code = dict.fromkeys((n for e in history for n, mark in e.writes.items() if mark == "code"), "code")
        own = code | definitions | {name: text for found in self.facts for name, text in found.imports.items()}
        bodies = [parse(text).body for text in texts]
        caches = frozenset().union(*map(remembering, bodies))
        self.drawn = [p for p, execution in enumerate(history) if draws(execution, lambda name: own.get(name, ""))]
        made = []
        for execution, found, body in zip(history, self.facts, bodies, strict=True):
            more = dict.fromkeys(execution.reads & caches, "state")
            if unseen(execution, found, body, read, lambda name: own.get(name, "")):
                more[UNSEEN] = "state"
            made.append(replace(execution, writes={**more, **execution.writes}) if more else execution)
        self.graph: Graph = join(made)
        self._deleters = [position for position, execution in enumerate(history) if execution.deletes]
        self._values = frozenset(
            name
            for found in self.facts
            for statement in found.statements
            if statement.kind is not StatementKind.IMPORT
            for name in statement.writes
        )
        self.shadowed = frozenset().union(*(e.writes for e in history), *(found.writes for found in self.facts))
        self.shifting = frozenset().union(*(names for found in self.facts for names in found.deferred_writes.values()))

    def origin(self, position: int, name: str) -> str:
        """Return the import statement that a name comes from where an execution reads it; "" if not surely from one."""
        if name in self._values or name in self.shifting:
            return ""
        maker = position if name in self.facts[position].imports else self.graph.producers[position].get(name)
        return "" if maker is None else self.facts[maker].imports.get(name, "")

    def before(self, position: int) -> dict[str, int]:
        """Return who made the value of every name there was before an execution."""
        last: dict[str, int] = {}
        for earlier in range(position):
            last |= dict.fromkeys(self.graph.history[earlier].writes, earlier)
            for name in self.graph.history[earlier].deletes:
                last.pop(name, None)
        return last

    def gone(self, position: int, reads: Set[str]) -> dict[str, int]:
        """Return which of the names that an execution mentions were deleted before it and not made again, and where."""
        found: dict[str, int] = {}
        for deleter in self._deleters:
            for name in reads & self.graph.history[deleter].deletes if deleter < position else ():
                if not any(name in execution.writes for execution in self.graph.history[deleter + 1 : position]):
                    found[name] = deleter
        return found

    def plain(self, position: int) -> Iterator[str]:
        """Names that hold a number or text when an execution begins."""
        for name, maker in self.graph.producers[position].items():
            sure = self.graph.history[maker].status is ExecutionStatus.OK and not self.facts[maker].uncertain
            if sure and isinstance(self.facts[maker].literals.get(name), bool | int | float | complex | str | bytes):
                yield name


class _Cell:
    """One execution as plain Python, statement by statement."""

    def __init__(self, notebook: _Notebook, position: int, text: str) -> None:
        self.facts: SourceFacts = extract_facts(text)
        self.body = parse(text).body
        self.origin = lambda name: notebook.origin(position, name)
        self._execution = notebook.graph.history[position]
        self.text = text
        self._sounds = self._prove(notebook, position)

    def _prove(self, notebook: _Notebook, position: int) -> list[Purity]:
        """Say of each statement what it does beside binding names."""
        execution = self._execution
        if execution.status is not ExecutionStatus.OK or self.facts.uncertain or self.facts.star_imports:
            return [Purity.LOUD] * len(self.body)
        told = frozenset().union(*(statement.writes for statement in self.facts.statements))
        steady = set[str]()
        calm = not execution.mutated and not execution.deletes and "?" not in execution.writes.values()
        if calm and execution.writes.keys() <= told:
            made = notebook.graph.producers[position]
            steady = {n for n, maker in made.items() if notebook.graph.history[maker].writes.get(n) != "code"}
        proof = PurityCheck(notebook.plain(position), steady, notebook.shadowed, notebook.shifting, self.origin)
        return [
            proof.take(node, statement.writes | statement.deletes)
            for node, statement in zip(self.body, self.facts.statements, strict=True)
        ]

    def keep(self, names: Set[str], late: Set[str]) -> tuple[int, ...]:
        """Return the statements that are not silent, and those that bind what is needed, by number.

        Parameters
        ----------
        late : what functions read and bind when they are called.
        """
        live = set(names)
        kept = []
        for number in range(len(self.body) - 1, -1, -1):
            statement = self.facts.statements[number]
            loud = self._sounds[number] is Purity.LOUD
            if loud or statement.writes & live:
                kept.append(number)
                live -= statement.definite_writes
                live |= statement.reads | statement.string_reads
                if loud:  # it may call any function
                    live |= late
        return tuple(reversed(kept))

    def late(self, statements: Sequence[int]) -> frozenset[str]:
        """Return the names that functions which these statements bind read or bind when they are called."""
        bound = frozenset().union(*(self.facts.statements[number].writes for number in statements))
        tables = (self.facts.deferred_reads, self.facts.deferred_writes)
        return frozenset().union(*(table.get(name, frozenset()) for table in tables for name in bound))

    def loud(self, statements: Sequence[int]) -> list[ast.stmt]:
        """Return the statements among these that may do more than they say."""
        return [self.body[number] for number in statements if self._sounds[number] is Purity.LOUD]

    def blind(self, statements: Sequence[int]) -> bool:
        """Whether nothing but names decides what these statements bind."""
        return all(self._sounds[number] is Purity.NONE for number in statements)

    def source(self, statements: Sequence[int]) -> str:
        """Return the text of some statements, one under another."""
        return deeply(lambda: "\n".join(ast.unparse(self.body[number]) for number in statements))
