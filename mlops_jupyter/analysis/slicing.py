"""Program slicing: the smallest part of a history that makes the current value of a name.

A slice holds executions, and of each the statements. An execution is left out if nothing in the slice needs a value
that it made. A statement is left out only if nothing needs a name that it binds and `purity` proves that it does
nothing else.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts.extract import SourceFacts, StatementKind, extract_facts
from mlops_jupyter.analysis.graph import Graph, join
from mlops_jupyter.analysis.module_state import uses_of_modules
from mlops_jupyter.analysis.purity import Purity, PurityCheck
from mlops_jupyter.analysis.side_effects import CURRENT, LISTING, draws, handles, remembering, reseeded, unseen
from mlops_jupyter.analysis.syntax.parsing import deeply, parse
from mlops_jupyter.core.executions import Execution, ExecutionStatus, Mark
from mlops_jupyter.core.hidden_names import AMBIENT, FIGURE, FILE, HIDDEN, MODULE_STATE, UNSEEN


@dataclass(frozen=True)
class SlicedCell:
    """The part of one execution that a slice keeps.

    Attributes
    ----------
    position : position of the execution in the history.
    statements : numbers of the top-level statements that are kept; all of them if the cell failed.
    names : names whose values later executions of the slice need.
    takes : name -> position of the execution that made the value read here; None if it is older than the history.
    facts : facts of the execution's whole text in plain Python.
    """

    position: int
    statements: tuple[int, ...]
    names: frozenset[str]
    takes: Mapping[str, int | None]
    facts: SourceFacts


def cut(history: Sequence[Execution], text: Callable[[int], str], name: str) -> tuple[SlicedCell, ...]:
    """Return the slice that made the current value of a name, in execution order; empty if no execution made it.

    Parameters
    ----------
    history : all executions, oldest first.
    text : returns the plain Python of the execution at a position; called only for executions that are kept.
    name : the name whose value is wanted.
    """
    return _Cut(history, text).of(name)


class _Cut:
    """Computes one slice: `_needs` grows to a fixed point, at which every need of a kept execution is met."""

    def __init__(self, history: Sequence[Execution], text: Callable[[int], str]) -> None:
        self._notebook = _Notebook(history)
        self._graph = self._notebook.graph
        self._text = text
        self._cells: dict[int, _Cell] = {}
        self._late: frozenset[str] = frozenset()
        self._lists = False
        self._needs: dict[int, set[str]] = {}

    def of(self, name: str) -> tuple[SlicedCell, ...]:
        """Return the slice that made the current value of a name."""
        if name not in self._graph.last:
            return ()
        self._needs[self._graph.last[name]] = {name}
        while True:
            before = self._size()
            cells = self._sweep()
            self._lists = any(LISTING.search(self._cell(cell.position).text) for cell in cells)
            self._late = frozenset().union(*(self._cell(cell.position).late(cell.statements) for cell in cells))
            latest = max(self._needs)
            for cell in cells:
                self._undo(cell.position, latest)
            if before == self._size():
                return tuple(cell for cell in reversed(cells) if cell.statements or cell.names - cell.takes.keys())

    def _size(self) -> tuple[int, frozenset[str], bool]:
        return sum(map(len, self._needs.values())), self._late, self._lists

    def _sweep(self) -> list[SlicedCell]:
        """Return the kept cells, latest first; one pass meets every need, as an execution needs only earlier ones."""
        cells = []
        for position in range(max(self._needs), -1, -1):
            if position in self._needs:
                names = frozenset(self._needs[position])
                statements = self._cell(position).keep(names, self._late)
                takes = self._takes(position, statements, names)
                for name, producer in takes.items():
                    if producer is not None:
                        self._needs.setdefault(producer, set()).add(name)
                cells.append(SlicedCell(position, statements, names, takes, self._cell(position).facts))
        return cells

    def _cell(self, position: int) -> _Cell:
        if position not in self._cells:
            self._cells[position] = _Cell(self._notebook, position, self._text(position))
        return self._cells[position]

    def _takes(self, position: int, statements: tuple[int, ...], names: Set[str]) -> dict[str, int | None]:
        """Return name -> producer of the values that the kept statements read."""
        execution, cell = self._graph.history[position], self._cell(position)
        producers = self._graph.producers[position]
        if cell.facts.uncertain:
            return {**dict.fromkeys(execution.reads), **self._notebook.before(position), **producers}
        reads = (execution.reads - execution.implicit_reads) | (execution.implicit_reads & names)
        if len(statements) < len(cell.body):
            facts = extract_facts(cell.source(statements))
            dropped = cell.facts.reads - facts.reads - facts.string_reads - self._late
            reads -= dropped - (names - facts.definite_writes)  # a needed name not bound here keeps its value
        if cell.blind(statements):
            reads = frozenset(n for n in reads if not n.startswith(HIDDEN))
        else:
            ambient = {n for n in producers if n.startswith(AMBIENT)}
            reads = (reads | ambient) - reseeded(cell.loud(statements), cell.origin)
            if self._lists:
                files = {n: p for n, p in self._notebook.before(position).items() if n.startswith(FILE)}
                producers = files | {**producers}
                reads |= {name for name in producers if name.startswith(FILE)}
        takes = {name: producers.get(name) for name in sorted(reads)}
        if CURRENT.search(cell.text):
            takes |= {f"{FIGURE}{p}": p for p in self._notebook.drawn if p < position}
        return takes

    def _undo(self, position: int, latest: int) -> None:
        """Add needs of executions that deleted a name or closed a file, so that the slice does that, too."""
        for later, name in handles(self._graph.history, position):
            if later < latest:
                self._needs.setdefault(later, set()).add(name)
        for name, deleter in self._notebook.gone(position, self._cell(position).facts.reads).items():
            if any(other < deleter and name in self._graph.history[other].writes for other in list(self._needs)):
                self._needs.setdefault(deleter, set()).add(name)


class _Notebook:
    """The whole history: its dataflow graph, and the meaning of its names. Immutable after construction."""

    def __init__(self, history: Sequence[Execution]) -> None:
        self.texts = texts = [to_python(execution.body) for execution in history]
        self.facts = [extract_facts(text) for text in texts]
        read = frozenset().union(
            *(reads for facts in self.facts for reads in facts.deferred_reads.values()),
            *(statement.reads | statement.string_reads for facts in self.facts for statement in facts.statements),
        )
        definitions = dict.fromkeys((n for facts in self.facts for n in facts.definitions), "a definition")
        code = dict.fromkeys((n for e in history for n, mark in e.writes.items() if mark == Mark.CODE), Mark.CODE)
        origins = code | definitions | {name: text for facts in self.facts for name, text in facts.imports.items()}
        self.bodies = bodies = [parse(text).body for text in texts]
        caches = frozenset().union(*map(remembering, bodies))
        self.drawn = [p for p, execution in enumerate(history) if draws(execution, lambda name: origins.get(name, ""))]
        imports = {name: text for facts in self.facts for name, text in facts.imports.items()}
        states: set[str] = set()
        executions = []
        for execution, facts, body, modules in zip(
            history, self.facts, bodies, uses_of_modules(bodies, imports), strict=True
        ):
            used = {f"{MODULE_STATE}{module}" for module in modules}
            execution = replace(execution, reads=execution.reads | (used & states)) if used & states else execution
            states |= used
            more = dict.fromkeys((execution.reads & caches) | used, Mark.STATE)
            if unseen(execution, facts, body, read, lambda name: origins.get(name, "")):
                more[UNSEEN] = Mark.STATE
            executions.append(replace(execution, writes={**more, **execution.writes}) if more else execution)
        self.graph: Graph = join(executions)
        self._deleters = [position for position, execution in enumerate(history) if execution.deletes]
        self._values = frozenset(
            name
            for facts in self.facts
            for statement in facts.statements
            if statement.kind is not StatementKind.IMPORT
            for name in statement.writes
        )
        self.shadowed = frozenset().union(*(e.writes for e in history), *(facts.writes for facts in self.facts))
        self.shifting = frozenset().union(*(names for facts in self.facts for names in facts.deferred_writes.values()))

    def origin(self, position: int, name: str) -> str:
        """Return the import statement that bound a name which an execution reads; "" if that is not sure."""
        if name in self._values or name in self.shifting:
            return ""
        producer = position if name in self.facts[position].imports else self.graph.producers[position].get(name)
        return "" if producer is None else self.facts[producer].imports.get(name, "")

    def before(self, position: int) -> dict[str, int]:
        """Return name -> position of the producer, of every name that was bound before an execution."""
        last: dict[str, int] = {}
        for earlier in range(position):
            last |= dict.fromkeys(self.graph.history[earlier].writes, earlier)
            for name in self.graph.history[earlier].deletes:
                last.pop(name, None)
        return last

    def gone(self, position: int, reads: Set[str]) -> dict[str, int]:
        """Return name -> position of its deletion, of each of `reads` that was deleted and not bound again before."""
        deletions: dict[str, int] = {}
        for deleter in self._deleters:
            for name in reads & self.graph.history[deleter].deletes if deleter < position else ():
                if not any(name in execution.writes for execution in self.graph.history[deleter + 1 : position]):
                    deletions[name] = deleter
        return deletions

    def plain(self, position: int) -> Iterator[str]:
        """Yield the names that surely hold a number or text when an execution begins."""
        for name, producer in self.graph.producers[position].items():
            sure = self.graph.history[producer].status is ExecutionStatus.OK and not self.facts[producer].uncertain
            if sure and isinstance(self.facts[producer].literals.get(name), bool | int | float | complex | str | bytes):
                yield name


class _Cell:
    """One execution as plain Python, statement by statement."""

    def __init__(self, notebook: _Notebook, position: int, text: str) -> None:
        is_known = text == notebook.texts[position]
        self.facts: SourceFacts = notebook.facts[position] if is_known else extract_facts(text)
        self.body = notebook.bodies[position] if is_known else parse(text).body
        self.origin = lambda name: notebook.origin(position, name)
        self._execution = notebook.graph.history[position]
        self.text = text
        self._sounds = self._prove(notebook, position)

    def _prove(self, notebook: _Notebook, position: int) -> list[Purity]:
        """Return the purity of each statement."""
        execution = self._execution
        if execution.status is not ExecutionStatus.OK or self.facts.uncertain or self.facts.star_imports:
            return [Purity.LOUD] * len(self.body)
        written = frozenset().union(*(statement.writes for statement in self.facts.statements))
        steady = set[str]()
        calm = not execution.mutated and not execution.deletes and Mark.UNKNOWN not in execution.writes.values()
        if calm and execution.writes.keys() <= written:
            producers = notebook.graph.producers[position]
            steady = {n for n, p in producers.items() if notebook.graph.history[p].writes.get(n) != Mark.CODE}
        proof = PurityCheck(notebook.plain(position), steady, notebook.shadowed, notebook.shifting, self.origin)
        return [
            proof.take(node, statement.writes | statement.deletes)
            for node, statement in zip(self.body, self.facts.statements, strict=True)
        ]

    def keep(self, names: Set[str], late: Set[str]) -> tuple[int, ...]:
        """Return the numbers of the statements that are not proven pure or that bind a needed name.

        Parameters
        ----------
        names : names that later executions need.
        late : names that functions of the slice read or bind when they are called.
        """
        live = set(names)
        numbers = []
        for number in range(len(self.body) - 1, -1, -1):
            statement = self.facts.statements[number]
            loud = self._sounds[number] is Purity.LOUD
            if loud or statement.writes & live:
                numbers.append(number)
                live -= statement.definite_writes
                live |= statement.reads | statement.string_reads
                if loud:  # it may call any function
                    live |= late
        return tuple(reversed(numbers))

    def late(self, statements: Sequence[int]) -> frozenset[str]:
        """Return the deferred reads and writes of the functions that the given statements bind."""
        bound = frozenset().union(*(self.facts.statements[number].writes for number in statements))
        tables = (self.facts.deferred_reads, self.facts.deferred_writes)
        return frozenset().union(*(table.get(name, frozenset()) for table in tables for name in bound))

    def loud(self, statements: Sequence[int]) -> list[ast.stmt]:
        """Return those of the given statements that may have side effects."""
        return [self.body[number] for number in statements if self._sounds[number] is Purity.LOUD]

    def blind(self, statements: Sequence[int]) -> bool:
        """Return whether the given statements read nothing but names, so that no hidden variable matters."""
        return all(self._sounds[number] is Purity.NONE for number in statements)

    def source(self, statements: Sequence[int]) -> str:
        """Return the source text of the given statements."""
        return deeply(lambda: "\n".join(ast.unparse(self.body[number]) for number in statements))
