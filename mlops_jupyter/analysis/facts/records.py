"""What the text of a cell says: frozen facts. `facts.facts` makes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mlops_jupyter.analysis.nondeterminism import NondeterminismCause
from mlops_jupyter.analysis.syntax.spans import Span, StatementKind


@dataclass(frozen=True)
class Statement:
    """One statement of the cell's top level, by itself: what the cell's other statements bind is read here, too.

    Attributes
    ----------
    reads : names it may read before it binds them; what functions read that it calls is in the cell's `deferred_reads`.
    sets_up : the name of the library that it sets up, if the name stands for one (`logging.disable()`); "" if none.
    option : the hidden variable that carries what it sets up, as long as that is no function (`pd.set_option(...)`);
        "" if none does.
    escaping_reads : names that functions without a name read, which it gives to whatever it calls.
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
    """What the text of a cell says. The mappings are shared between callers: do not change them.

    Attributes
    ----------
    reads : global names that running the cell may read while they still have the value from before it; in the cell's
        own functions, too, where its top level names them. Builtins are not taken out.
    deferred_reads : name bound to a function, class or lambda, or to a container of such -> global names that its body
        would read when called. Not transitive: names of other functions are among them, to be followed.
    writes : global names that the cell may bind, also by calling its own functions.
    definite_writes : those that this cell has bound whenever it completes, so that an earlier value cannot survive. Of
        context managers only the known ones (`suppress`, `raises`, ...) are taken to swallow exceptions.
    loop_bound : name that a `for` of its top level binds each time round -> names of which one is another only then.
    deferred_writes : function that declares `global x` and binds or deletes it -> those names.
    deletes : names that it may delete; `except ... as e` deletes `e`.
    definitions : names bound at the top level by `def`, `class`, `name = lambda ...`, `name = namedtuple("name", ...)`.
    imports : bound name -> "import numpy as np", "from a.b import c as d". `import a.b` binds `a`; with `import a.c` in
        the same cell the text has both lines.
    star_imports : modules whose names only running tells.
    literals : name -> value of `name = <literal>` where nothing else in the cell binds the name.
    string_reads : candidates in strings that a library may evaluate: `df.query("x > @limit")`, formulas, SQL.
    names_in_strings : the same with those of functions, and of text that is Python: what code uses without naming it.
    causes : what may make values differ in another process, in order.
    sets : names that it binds to sets, whose order may be another elsewhere.
    ordered : a name with what it is a cause of if it is a set: its items are taken in order.
    uncertain : reasons why the facts may be incomplete, in words.
    statements : the top level, one by one.
    awaits : there is an `await` at the top level.
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
        """Return the causes where some names that it reads are known to be sets that others made."""
        return (*self.causes, *(cause for name, cause in self.ordered if name in sets and name not in self.sets))

    def uses(self, statement: Statement) -> frozenset[str]:
        """Names that a statement reads, also in the functions that it names, and when what it defines is called."""
        seen: set[str] = set()
        todo = [*statement.reads, *(n for name in statement.writes for n in self.deferred_reads.get(name, ()))]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.deferred_reads.get(name, ())
        return frozenset(seen)
