"""The records of static analysis: the facts of a cell and of its statements. `extract_facts` makes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mlops_jupyter.analysis.nondeterminism import NondeterminismCause
from mlops_jupyter.analysis.syntax.spans import Span, StatementKind


@dataclass(frozen=True)
class Statement:
    """One top-level statement, taken by itself: names that other statements of the cell bind count as read, too.

    Attributes
    ----------
    kind : what the statement is for.
    span : where the statement stands in the cell.
    reads : names that the statement may read before it binds them. What the functions that it calls read is in the
        cell's `deferred_reads`.
    writes : global names that the statement may bind.
    definite_writes : those of `writes` that are bound whenever the statement completes.
    deletes : names that the statement may delete.
    string_reads : candidates for names in strings that a library may evaluate.
    sets_up : name of the library that the statement sets up (`logging.disable()`), if the name stands for a library;
        "" if none.
    option : hidden variable that carries the option which the statement sets (`pd.set_option(...)`), unless the value
        of the option is a function; "" if none.
    escaping_reads : names read by the lambdas and generator expressions that the statement hands to other code.
    """

    kind: StatementKind
    span: Span
    reads: frozenset[str]
    writes: frozenset[str]
    definite_writes: frozenset[str]
    deletes: frozenset[str]
    string_reads: frozenset[str]
    sets_up: str = ""
    option: str = ""
    escaping_reads: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SourceFacts:
    """The facts of a cell, from its text alone. The mappings are shared between callers: do not change them.

    Attributes
    ----------
    reads : global names that the cell may read while they still have their value from before the cell. The free
        variables of the cell's own functions are among them where the top level names the functions. Builtins are not
        taken out.
    deferred_reads : name bound to a function, class or lambda, or to a container of these -> global names that the body
        would read when called. Not transitive: names of other functions are among them, to be followed.
    writes : global names that the cell may bind, also by calling its own functions.
    definite_writes : those of `writes` that are bound whenever the cell completes, so that no earlier value survives.
        Only the known context managers (`suppress`, `raises`, ...) are taken to swallow exceptions.
    loop_bound : name that a top-level `for` binds in each iteration -> names whose change shows that the loop ran.
    deferred_writes : function that declares `global x` and binds or deletes `x` -> those names.
    deletes : names that the cell may delete; `except ... as e` deletes `e`.
    definitions : names bound at the top level by `def`, `class`, `name = lambda ...`, `name = namedtuple("name", ...)`.
    imports : bound name -> "import numpy as np", "from a.b import c as d". `import a.b` binds `a`; with `import a.c` in
        the same cell the text has both lines.
    star_imports : modules of `from m import *`, whose names are known only when the cell runs.
    literals : name -> value of `name = <literal>` where nothing else in the cell binds the name.
    string_reads : candidates for names in strings that a library may evaluate: `df.query("x > @limit")`, formulas, SQL.
    names_in_strings : candidates in any string, also in functions and in text that `exec` or `eval` runs as Python.
    causes : causes of nondeterminism, in the order of the text.
    sets : names that the cell binds to sets, whose order may differ in another process.
    ordered : (name, cause) for each name whose items are taken in order: a cause of nondeterminism if it holds a set.
    uncertain : reasons why the facts may be incomplete, for people.
    statements : the top-level statements, in order.
    awaits : whether the top level awaits, which makes the cell a coroutine.
    """

    reads: frozenset[str]
    deferred_reads: Mapping[str, frozenset[str]]
    writes: frozenset[str]
    definite_writes: frozenset[str]
    loop_bound: Mapping[str, frozenset[str]]
    deferred_writes: Mapping[str, frozenset[str]]
    deletes: frozenset[str]
    definitions: frozenset[str]
    imports: Mapping[str, str]
    star_imports: tuple[str, ...]
    literals: Mapping[str, object]
    string_reads: frozenset[str]
    names_in_strings: frozenset[str]
    causes: tuple[NondeterminismCause, ...]
    sets: frozenset[str]
    ordered: tuple[tuple[str, NondeterminismCause], ...]
    uncertain: tuple[str, ...]
    statements: tuple[Statement, ...]
    awaits: bool

    def causes_with(self, sets: Collection[str]) -> tuple[NondeterminismCause, ...]:
        """Return the causes of nondeterminism, given the names that other cells bound to sets."""
        return (*self.causes, *(cause for name, cause in self.ordered if name in sets and name not in self.sets))

    def uses(self, statement: Statement) -> frozenset[str]:
        """Return the names read by a statement and, transitively, by the functions that it names or defines."""
        seen: set[str] = set()
        todo = [*statement.reads, *(n for name in statement.writes for n in self.deferred_reads.get(name, ()))]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.deferred_reads.get(name, ())
        return frozenset(seen)
