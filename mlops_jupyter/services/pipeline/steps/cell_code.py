"""The executions of a plan as plain Python, and whether each name that they read is code (as text) or a value."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import NondeterminismCause, SourceFacts, Statement, StatementKind
from mlops_jupyter.analysis.graph import Graph
from mlops_jupyter.analysis.syntax.parsing import lines_of
from mlops_jupyter.core.executions import Execution, Mark
from mlops_jupyter.core.hidden_names import DRAWING, HIDDEN, RANDOM, SETTINGS
from mlops_jupyter.core.plan import Resources
from mlops_jupyter.services.pipeline.magics.translation import Translation

DECORATED = re.compile(r"^@", re.MULTILINE).search

CACHED = re.compile(r"^@(\w+\.)*(lru_cache|cache|cached)\b", re.MULTILINE).search

EVALUATES = re.compile(r"(?<![\w.])eval\(\s*(?![\s\"'])").search
"""Search a text for an `eval` of what is no constant: the names in it are known only when it runs."""

STAR = re.compile(r"(?:#.*\n)*(from\s+\S+\s+import\s+\*)")


@dataclass(frozen=True)
class CellCode:
    """One execution, translated into plain Python.

    Attributes
    ----------
    position : the execution's position in the history.
    facts : facts about the translated text; line numbers refer to that text.
    cell : the execution's cell in the notebook's file; None if it was edited or deleted since.
    parameters : names that this execution declares as parameters of the pipeline, with their defaults.
    outputs : the only names that the execution's author lets its step give to other steps; None: any.
    resources : the resources that the author requests for the step.
    is_cached : whether the author wants the step taken from the cache although it is volatile.
    """

    position: int
    execution: Execution
    translation: Translation
    facts: SourceFacts
    cell: CodeCell | None
    parameters: Mapping[str, object]
    outputs: frozenset[str] | None = None
    resources: Resources = field(default_factory=Resources)
    is_cached: bool = False

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the translated text, without line ends."""
        return lines_of(self.translation.text)

    def text(self, statement: Statement) -> str:
        """Return a statement's source, with the comments right above it."""
        return "\n".join(self.lines[statement.span.comment_line - 1 : statement.span.end_line]) + "\n"

    def imports_plainly(self, name: str) -> bool:
        """Say whether every statement that binds a name is an import at the top level."""
        return all(s.kind is StatementKind.IMPORT for s in self.facts.statements if name in s.writes)

    @property
    def dynamic(self) -> bool:
        """Whether the cell bound names that its text does not show, or calls `exec` or `globals`."""
        unseen = self.execution.writes.keys() - self.facts.writes - set(self.parameters) - self.translation.lost.keys()
        bound_unseen = any(n.isidentifier() for n in unseen if not self.in_place(n)) and not self.facts.star_imports
        text = self.translation.text
        return bound_unseen or bool(re.search(r"(?<![\w.])(exec|globals)\(", text)) or evaluates_inside(text)

    def in_place(self, name: str) -> bool:
        """Say whether a name that the cell changed existed before: it was changed in place rather than bound."""
        return name in self.execution.reads

    def binding(self, name: str) -> Statement | None:
        """Return the last top-level statement that binds a name, None if there is none."""
        return next((s for s in reversed(self.facts.statements) if name in s.writes), None)

    def is_code(self, name: str) -> bool:
        """Say whether this execution bound a name by imports and definitions alone."""
        if name in self.facts.writes:
            set_up = any(s.sets_up == name and not s.option for s in self.facts.statements)
            if set_up and name not in self.facts.imports:
                return False  # it has more than its source says: an attribute, a registered function
            kinds = {s.kind for s in self.facts.statements if name in s.writes}
            if not kinds:
                return False  # a function that it called has bound it
            return kinds <= {StatementKind.IMPORT, StatementKind.DEFINITION} or (
                name in self.facts.imports and self.execution.writes.get(name) == Mark.CODE
            )
        return name in self.starred

    @cached_property
    def starred(self) -> frozenset[str]:
        """The names that the execution's `from module import *` bound, without those that it changed in place."""
        if not self.facts.star_imports:
            return frozenset()
        bound = self.execution.writes.keys() - self.facts.writes - self.execution.mutated
        return frozenset(name for name in bound if not name.startswith(HIDDEN))

    @cached_property
    def stars(self) -> Mapping[int, str]:
        """Line number -> the `from module import *` statement on it."""
        matches = ((s.span.line, STAR.match(self.text(s).lstrip("\n"))) for s in self.facts.statements if not s.writes)
        return {line: f"{star[1]}\n" for line, star in matches if star}


def evaluates_inside(text: str) -> bool:
    """Say whether a function or comprehension of a text evaluates what is no constant: it sees no local names.

    Examples
    --------
    >>> evaluates_inside("v = eval(e)"), evaluates_inside("v = [eval(e) for e in es]")
    (False, True)
    """
    if not EVALUATES(text):
        return False
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp)
    inner = (node for node in ast.walk(ast.parse(text)) if isinstance(node, (*scopes, ast.GeneratorExp)))
    return any(EVALUATES(ast.unparse(node)) for node in inner)


def _calls(definition: str) -> bool:
    """Say whether making a definition calls anything: in a default, or in the body of a class."""
    node = ast.parse(textwrap.dedent(definition)).body[-1]
    evaluated: list[ast.AST] = []
    todo: list[ast.AST] = [node]
    while todo:
        child = todo.pop()
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            evaluated += [*child.args.defaults, *filter(None, child.args.kw_defaults)]
        elif isinstance(child, ast.ClassDef):
            todo += child.body
        else:
            evaluated.append(child)
    return any(isinstance(part, ast.Call) for child in evaluated for part in ast.walk(child))


@dataclass(frozen=True)
class Binding:
    """A name together with the execution that made its value or bound its code (a position in the history)."""

    name: str
    maker: int


class CellCodes:
    """The translated executions of a plan by position, with their graph. Answers questions, and caches the answers."""

    def __init__(self, graph: Graph, parts: Mapping[int, CellCode]) -> None:
        self.graph = graph
        self._parts = parts
        self._code: dict[Binding, bool] = {}
        self._sets: frozenset[str] | None = None
        self._importers: dict[str, list[int]] = {}
        for position in sorted(parts):
            for name in parts[position].facts.imports:
                self._importers.setdefault(name, []).append(position)

    def __getitem__(self, position: int) -> CellCode:
        return self._parts[position]

    def __contains__(self, position: int) -> bool:
        return position in self._parts

    def __iter__(self) -> Iterator[CellCode]:
        return iter(self._parts.values())

    def importers(self, name: str) -> Sequence[int]:
        """Return the positions of the executions that import a name, in order."""
        return self._importers.get(name, ())

    def is_code(self, need: Binding) -> bool:
        """Say whether a binding travels as source rather than as a value.

        A definition that reads values when it is made (a default, a decorator's argument) is a value itself.
        """
        if need.maker not in self._parts:
            return False
        if need not in self._code:
            self._code[need] = True  # a definition may name itself
            part = self._parts[need.maker]
            code = part.is_code(need.name) and not self._takes_values(need) and not self._remembers(need)
            self._code[need] = code and not self._acts(need) and not self._keeps_results(need)
        return self._code[need]

    def _remembers(self, need: Binding) -> bool:
        """Say whether a decorator turned a definition into an object with a state of its own, such as a cache."""
        part = self._parts[need.maker]
        if need.name not in part.facts.definitions or part.execution.writes.get(need.name) in (Mark.CODE, None):
            return False
        seen: set[str] = set()
        todo = [need.name]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += [*part.facts.deferred_reads.get(name, ()), *part.facts.deferred_writes.get(name, ())]
        return any(not p.is_code(n) for p in self._parts.values() for n in seen & p.facts.writes)

    def _keeps_results(self, need: Binding) -> bool:
        """Say whether a definition has a cache whose contents matter: someone asks, or a new result would differ."""
        part = self._parts[need.maker]
        statement = part.binding(need.name)
        if statement is None or not CACHED(part.text(statement)):
            return False
        asks = re.compile(rf"\b{re.escape(need.name)}\.cache_").search
        lines = range(statement.span.line, statement.span.end_line + 1)
        varies = any(cause.line in lines for cause in self.causes(need.maker))
        changes = any(
            each.execution.mutated for each in self if need.name in each.execution.reads
        )  # a result of it, say
        called = rf"\b{re.escape(need.name)}\([^()\n]*\)(\[[^\]\n]*\]|\.\w+)+\s*[-+*/|&]?=(?!=)"
        sets = re.compile(called).search
        return varies or changes or any(asks(each.translation.text) or sets(each.translation.text) for each in self)

    def _acts(self, need: Binding) -> bool:
        """Say whether a decorator changed a value: it called the definition, or registered it somewhere."""
        part = self._parts[need.maker]
        statement = part.binding(need.name)
        if not part.execution.mutated or statement is None or not DECORATED(part.text(statement)):
            return False
        seen: set[str] = set()
        todo = [(name, need.maker) for name in statement.reads | {need.name}]
        while todo:
            name, at = todo.pop()
            if name not in seen:
                seen.add(name)
                maker = at if name in self._parts[at].facts.writes else self.graph.producers[at].get(name)
                if maker is not None and maker in self._parts:
                    facts = self._parts[maker].facts
                    todo += [
                        (n, maker) for n in (*facts.deferred_reads.get(name, ()), *facts.deferred_writes.get(name, ()))
                    ]
        return not part.execution.mutated.isdisjoint(seen)

    def _takes_values(self, need: Binding) -> bool:
        part = self._parts[need.maker]
        statement = part.binding(need.name)
        if statement is None or statement.kind is not StatementKind.DEFINITION:
            return False
        if not RANDOM.isdisjoint(part.execution.writes) and _calls(part.text(statement)):
            return True
        producers = self.graph.producers[need.maker]
        for name in statement.reads - {need.name}:
            if name in part.facts.writes:
                if not self.is_code(Binding(name, need.maker)):
                    return True
            elif name in producers and not self.is_code(Binding(name, producers[name])):
                return True
        return False

    def is_parameter(self, need: Binding) -> bool:
        """Say whether a binding is a parameter of the pipeline."""
        return need.maker in self._parts and need.name in self._parts[need.maker].parameters

    def reads(self, position: int) -> list[Binding]:
        """Return what an execution read from earlier ones, hidden variables included."""
        return [Binding(name, maker) for name, maker in self.graph.producers[position].items()]

    def discards(self, position: int, name: str) -> bool:
        """Say whether an execution only removed a temporary file, and would not mind if it were not there.

        It takes no value then, but comes after those that use the file.
        """
        return self.graph.history[position].writes.get(name) == Mark.DISCARDED

    def names_in_strings(self, members: Iterable[int]) -> set[str]:
        """Return the names that strings of these executions may use: a formula, a query, text that is evaluated."""
        names: set[str] = set()
        for part in (self._parts[member] for member in members):
            names |= part.facts.names_in_strings
            if EVALUATES(part.translation.text):
                names |= part.execution.reads - part.facts.reads - part.execution.implicit_reads
        return {name for name in names if not name.startswith(HIDDEN)}

    def values(self, members: list[int]) -> list[Binding]:
        """Return the values that a step's executions read from other steps: no code, parameters or hidden variables."""
        inside = set(members)
        bindings = dict.fromkeys(
            need
            for member in members
            for need in self.reads(member)
            if need.maker not in inside
            and not need.name.startswith(HIDDEN)
            and not self.is_code(need)
            and not self.is_parameter(need)
        )
        return list(bindings)

    def causes(self, position: int) -> tuple[NondeterminismCause, ...]:
        """Return an execution's causes of nondeterminism, given all names that any execution binds to sets."""
        if self._sets is None:
            self._sets = frozenset().union(*(part.facts.sets for part in self))
        return self._parts[position].facts.causes_with(self._sets)

    def keeps_figures(self) -> bool:
        """Say whether pyplot's figures stayed open in the notebook when a cell had ended."""
        marks = {part.execution.writes.get(DRAWING) for part in self}
        return bool(marks - {None, Mark.SHOWN}) and Mark.SHOWN not in marks

    def settings(self, members: list[int]) -> list[tuple[int, Statement]]:
        """Return the statements of other steps that set up libraries before these executions, with their positions.

        No value carries their effect, so a step repeats them.
        """
        before = self.earlier(SETTINGS, members)
        return [(p, s) for p in before for s in self._parts[p].facts.statements if self.sets_up(p, s)]

    def earlier(self, hidden: str, members: list[int]) -> list[int]:
        """Return the executions of other steps that together made the hidden variable that these members read."""
        seen: set[int] = set()
        todo = list(members)
        while todo:
            maker = self.graph.producers[todo.pop()].get(hidden)
            if maker is not None and maker not in seen:
                seen.add(maker)
                todo.append(maker)
        return sorted(p for p in seen.difference(members) if p in self._parts)

    def sets_up(self, position: int, statement: Statement) -> bool:
        """Say whether a statement sets up a library, and nothing of the notebook's own."""
        name = statement.sets_up
        part = self._parts[position]
        if not name or SETTINGS not in part.execution.writes:
            return False
        if statement.option and part.execution.writes.get(statement.option) != Mark.UNKNOWN:
            return False  # the value of its hidden variable carries it
        maker = position if name in part.facts.writes else self.graph.producers[position].get(name)
        return maker is not None and maker in self._parts and name in self._parts[maker].facts.imports

    def used(self, position: int, statement: Statement) -> list[Binding]:
        """Return the code that a statement uses, also in functions that it names and when its definition is called."""
        part = self._parts[position]
        names = part.facts.uses(statement)
        around = [*self.reads(position), *(Binding(name, position) for name in part.facts.writes)]
        return [need for need in around if need.name in names and self.is_code(need)]

    @cached_property
    def definitions(self) -> frozenset[str]:
        """The names of all functions and classes that cells define."""
        return frozenset().union(*(part.facts.definitions for part in self))

    @cached_property
    def of_the_future(self) -> tuple[str, ...]:
        """The `from __future__` imports of all cells: in a notebook they apply to every later cell too."""
        texts = (text for part in self for text in part.facts.imports.values())
        return tuple(f"{text}\n" for text in dict.fromkeys(texts) if text.startswith("from __future__"))
