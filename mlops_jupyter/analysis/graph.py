"""The dataflow graph of a history: which execution made the value that another one read, and its upstream slice.

A value is identified by the execution that made it, so repeated, out-of-order, edited and deleted cells need no special
case: an execution on which nothing wanted depends is not in the slice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mlops_jupyter.core.executions import Execution, Mark
from mlops_jupyter.core.hidden_names import AMBIENT

COMPARES = re.compile(r"\bis\s+(?!not\s+(?:None|True|False)\b|None\b|True\b|False\b)\w|\bid\(").search
"""Search a text for a comparison of identity with another value than a constant."""


@dataclass(frozen=True)
class Graph:
    """The dataflow graph: the producer of each value that an execution read.

    Attributes
    ----------
    history : executions, oldest first.
    producers : for each execution, name read -> position of the execution that made the value. Names whose value is
        older than the first execution have no entry.
    last : name -> position of the execution that made the name's value at the end of the history.
    """

    history: tuple[Execution, ...]
    producers: tuple[Mapping[str, int], ...]
    last: Mapping[str, int]

    def slice(self, wanted: Iterable[int]) -> tuple[int, ...]:
        """Return the sorted positions of the wanted executions and of all that they depend on."""
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
        """Position of an execution -> (position of the reader, name) of each read of its values."""
        users: dict[int, list[tuple[int, str]]] = {}
        for user, producers in enumerate(self.producers):
            for name, producer in producers.items():
                users.setdefault(producer, []).append((user, name))
        return users

    def rebinds(self, position: int, name: str) -> bool:
        """Return whether an execution mutates, binds or deletes a name."""
        return name in self.history[position].writes or name in self.history[position].deletes

    def undefined_reads(self, position: int) -> frozenset[str]:
        """Return the names that an execution read and whose value no execution of the history made."""
        return frozenset(n for n in self.history[position].reads if n not in self.producers[position])


def build(history: Sequence[Execution]) -> Graph:
    """Return the graph from which steps are cut, in which names that share an object change together."""
    return join(_tied(history))


def join(history: Sequence[Execution]) -> Graph:
    """Return the graph that joins each read to the last write before it, in time linear in reads and writes."""
    last: dict[str, int] = {}
    ambient: dict[str, int] = {}
    producers = []
    for position, execution in enumerate(history):
        producer_of = {name: last[name] for name in execution.reads if name in last}
        producers.append(producer_of | ambient)
        for name in execution.writes:
            last[name] = position
            if name.startswith(AMBIENT):
                ambient[name] = position
        for name in execution.deletes:
            last.pop(name, None)
    return Graph(tuple(history), tuple(producers), last)


def _tied(history: Sequence[Execution]) -> list[Execution]:
    """Return the history in which names that share an object change together, where that can be observed.

    Identity is part of a value: a name that shares an object with a value that was made or mutated is counted as
    written with it, so that both cross to other steps as one. Sharing can be observed only if a later execution mutates
    one of the names, or compares identities; all other alias groups are dropped here, and their names are independent.
    So is a function that holds an object which nothing mutates (a default, say): its source makes the object again.
    """
    marks = {(name, mark) for execution in history for name, mark in execution.writes.items()}
    code = {name for name, mark in marks if mark == Mark.CODE} - {name for name, mark in marks if mark != Mark.CODE}
    mutated: set[str] = set()
    executions: list[Execution] = []
    for execution in reversed(history):
        groups = tuple(group for group in execution.alias_groups if group & mutated)
        free = execution.writes.keys() | (code - mutated)
        tied = {n: Mark.TIED for group in groups for n in sorted(group) if n not in free}
        if groups != execution.alias_groups:
            execution = replace(execution, alias_groups=groups)
        if tied:
            execution = replace(execution, writes={**execution.writes, **tied}, reads=execution.reads | tied.keys())
        mutated |= execution.mutated
        if COMPARES(execution.body):
            mutated |= execution.reads
        executions.append(execution)
    return executions[::-1]
