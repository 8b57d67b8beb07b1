"""Executions -> dataflow: which execution made the value that another one read, and what a value needs.

A value is told by who made it, so repeated, out-of-order, edited and deleted cells need no special case:
an execution that nothing wanted depends on falls out of the slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mlops_jupyter.core.executions import Execution

SETTINGS = "~settings"
"""What statements set up in libraries. It is no value: steps repeat the statements, or are merged."""

DRAWING = "~pyplot"
"""The figures that matplotlib.pyplot has open, which a later cell may draw on. They stay in their process."""

SHOWN = "shown"
"""Stands for the fingerprint of `DRAWING` where a cell's figures were shown and closed when it had ended."""

UNSEEN = "~unseen"
"""Stands for what a cell did to modules and classes, or to the world outside, of which capture does not tell."""

AMBIENT = (
    SETTINGS,
    UNSEEN,
    "~environ:",
    "~cwd",
    "~sys.path",
    "~sys.argv",
    "~pandas.",
    "~sklearn.",
    "~numpy.print",
    "~numpy.err",
    "~matplotlib.",
    "~warnings.",
)
"""Hidden variables that any code may read without naming them; random states and files are seen when used."""


@dataclass(frozen=True)
class Graph:
    """Who made what.

    Attributes
    ----------
    history : executions, oldest first.
    producers : for each execution, name read -> position of the execution that made the value. Names that were
        there before the first execution have no entry.
    last : name -> position of the execution that made the value it has at the end.
    """

    history: tuple[Execution, ...]
    producers: tuple[Mapping[str, int], ...]
    last: Mapping[str, int]

    def slice(self, wanted: Iterable[int]) -> tuple[int, ...]:
        """Return the positions of all executions that the wanted ones need, themselves included, in order."""
        needed: set[int] = set()
        todo = list(wanted)
        while todo:
            position = todo.pop()
            if position not in needed:
                needed.add(position)
                todo.extend(self.producers[position].values())
        return tuple(sorted(needed))

    @cached_property
    def users(self) -> Mapping[int, Sequence[tuple[int, str]]]:
        """For each execution whose values others read: (who, which name)."""
        found: dict[int, list[tuple[int, str]]] = {}
        for user, made in enumerate(self.producers):
            for name, maker in made.items():
                found.setdefault(maker, []).append((user, name))
        return found

    def rebinds(self, position: int, name: str) -> bool:
        """Whether an execution changes, binds or deletes a name."""
        return name in self.history[position].writes or name in self.history[position].deletes

    def undefined_reads(self, position: int) -> frozenset[str]:
        """Names that an execution read and that nobody in the history made."""
        return frozenset(n for n in self.history[position].reads if n not in self.producers[position])


def build(history: Sequence[Execution]) -> Graph:
    """Join the executions to a graph from which steps can be cut: names that share an object change together."""
    return join(_tied(history))


def join(history: Sequence[Execution]) -> Graph:
    """Join each read to the write before it; linear in the number of reads and writes."""
    last: dict[str, int] = {}
    ambient: dict[str, int] = {}
    producers = []
    for position, execution in enumerate(history):
        made = {name: last[name] for name in execution.reads if name in last}
        producers.append(made | ambient)
        for name in execution.writes:
            last[name] = position
            if name.startswith(AMBIENT):
                ambient[name] = position
        for name in execution.deletes:
            last.pop(name, None)
    return Graph(tuple(history), tuple(producers), last)


def _tied(history: Sequence[Execution]) -> list[Execution]:
    """Let names that share an object change version together, where that can be told.

    Identity is part of a value: who shares an object with a value that was made or changed is made anew with it, so
    that both cross to other steps as one. It can be told only if some later execution changes one of them in place;
    otherwise the groups are dropped here, and the names go their own ways. So does a function that holds something
    which none changes (a default, say): its source makes it again.
    """
    marks = {(name, mark) for execution in history for name, mark in execution.writes.items()}
    code = {name for name, mark in marks if mark == "code"} - {name for name, mark in marks if mark != "code"}
    mutated: set[str] = set()
    found: list[Execution] = []
    for execution in reversed(history):
        groups = tuple(group for group in execution.alias_groups if group & mutated)
        free = execution.writes.keys() | (code - mutated)
        tied = {n: "tied" for group in groups for n in sorted(group) if n not in free}
        if groups != execution.alias_groups:
            execution = replace(execution, alias_groups=groups)
        if tied:
            execution = replace(execution, writes={**execution.writes, **tied}, reads=execution.reads | tied.keys())
        mutated |= execution.mutated
        found.append(execution)
    return found[::-1]
