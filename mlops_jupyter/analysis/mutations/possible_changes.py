"""Add to a history what its executions may change on days that differ from the one on which they were recorded.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import replace
from functools import lru_cache

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts.extract import REMEMBERED, extract_facts
from mlops_jupyter.analysis.mutations.collect import collect
from mlops_jupyter.analysis.mutations.possible_files import PossibleFiles, possible_files
from mlops_jupyter.analysis.mutations.records import Mutations
from mlops_jupyter.analysis.mutations.summaries import Module, MutationSummaries
from mlops_jupyter.analysis.syntax.parsing import ParseError, deeply, parse
from mlops_jupyter.core.executions import Execution, Mark
from mlops_jupyter.core.hidden_names import FILE, SETTINGS

ASKS_CACHE = re.compile(r"(\w+)\.cache_(?:info|clear)\b")
CACHED = re.compile(r"^@(?:\w+\.)*(?:lru_cache|cache|cached)\b[^\n]*\n(?:@[^\n]*\n)*def (\w+)", re.MULTILINE)
WORD = re.compile(r"[^\W\d]\w*")


def with_possible_changes(
    history: Sequence[Execution],
    kept: Collection[int],
    local_sources: Iterable[str],
    is_watched: Callable[[str], bool],
) -> list[Execution]:
    """Return the history in which kept executions count as having changed what their text may change on some path.

    Such a name has the value that it had before, so on the day of recording nothing is different.

    Parameters
    ----------
    history : all executions, oldest first.
    kept : positions of the executions that are to become steps.
    local_sources : the texts of the local modules that the cells import.
    is_watched : says whether the value of a hidden variable is known from the beginning on.
    """
    texts = [to_python(execution.body) for execution in history]
    imports = {name: text for source in texts for name, text in extract_facts(source).imports.items()}
    notebook = Module(imports)
    cells = [_mutations(text) for text in texts]
    local_texts = list(local_sources)
    own = [(_mutations(text), Module(extract_facts(text).imports, SETTINGS)) for text in local_texts]
    summaries = MutationSummaries([*((cell, notebook) for cell in cells), *own])
    kept_results = _asked_caches(texts, local_texts)
    known = _KnownNames()
    possible_changes = {position: summaries.of_cell(cells[position], notebook) for position in kept}
    files = possible_files({p: possible.files for p, possible in possible_changes.items()}, cells, history)
    result = []
    for position, execution in enumerate(history):
        if position in kept:
            possible = possible_changes[position]
            names = {n for n in possible.names if not known.is_code(n) or n not in imports}
            names |= {n for n in possible.suspected if not known.is_code(n)}
            hidden = {n for n in possible.hidden if n == SETTINGS or is_watched(n)}
            if any(imports.get(n, "").startswith("from ") and not known.is_code(n) for n in names | execution.mutated):
                hidden.add(SETTINGS)  # the object is the module's own, and other code takes it from there
            if kept_results and kept_results.intersection(WORD.findall(texts[position])):
                hidden.add(SETTINGS)
            execution = _changed(execution, known, names, hidden)
            execution = _with_files(execution, known, files[position])
        known.follow(execution)
        result.append(execution)
    return result


def _asked_caches(cells: Iterable[str], local_texts: Iterable[str]) -> set[str]:
    """Return the functions of local modules that keep their results, where a cell asks for that: `f.cache_info()`."""
    asked = {name for text in cells if ".cache_" in text for name in ASKS_CACHE.findall(text)}
    return asked & {name for text in local_texts for name in CACHED.findall(text)} if asked else set()


@lru_cache(maxsize=REMEMBERED)
def _mutations(source: str) -> Mutations:
    try:
        tree = parse(source)
    except ParseError:
        return Mutations()
    return deeply(lambda: collect(tree))


class _KnownNames:
    """The variables at a point of the history, what is known of their values, and which of them share objects."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}
        self._groups: dict[str, frozenset[str]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._marks

    def mark(self, name: str) -> str:
        """Return the fingerprint of a variable's value, or the mark that stands for it."""
        return self._marks[name]

    def is_code(self, name: str) -> bool:
        """Say whether a variable stands for a function, class or module."""
        return self._marks.get(name) == Mark.CODE

    def sharing(self, name: str) -> frozenset[str]:
        """Return the variables that share objects with one, itself among them."""
        return self._groups.get(name, frozenset({name}))

    def follow(self, execution: Execution) -> None:
        """Go on to the state after an execution."""
        self._marks |= {name: mark for name, mark in execution.writes.items() if mark != Mark.TIED}
        for name in {*execution.writes, *execution.deletes} - execution.mutated:
            for other in self._groups.pop(name, ()):
                self._groups[other] = self._groups.get(other, frozenset()) - {name}
        for group in execution.alias_groups:
            self._groups |= dict.fromkeys(group, group)
        for name in execution.deletes:
            self._marks.pop(name, None)


def _with_files(execution: Execution, known: _KnownNames, files: PossibleFiles) -> Execution:
    """Return an execution that has also written and read some files; one that is not there counts as removed."""
    written = {FILE + path for path in files.written} - execution.writes.keys()
    if not written and not files.read:
        return execution
    marks = {name: known.mark(name) if name in known else Mark.REMOVED for name in sorted(written)}
    reads = {FILE + path for path in files.read} | {name for name in written if name in known}
    return replace(execution, reads=execution.reads | reads, writes={**execution.writes, **marks})


def _changed(execution: Execution, known: _KnownNames, names: Set[str], hidden: Set[str]) -> Execution:
    """Return an execution that has also changed some names in place, and set some hidden variables."""
    names = {other for name in names if name in known for other in known.sharing(name)}
    names -= execution.writes.keys() | execution.deletes
    settings = {SETTINGS: Mark.UNKNOWN} if SETTINGS in hidden else {}
    hidden = hidden - execution.writes.keys() - {SETTINGS}
    if not names and not hidden and not settings:
        return execution
    groups = {known.sharing(name) for name in names}
    return replace(
        execution,
        reads=execution.reads | names | hidden,
        writes={
            **execution.writes,
            **{name: known.mark(name) for name in sorted(names)},
            **dict.fromkeys(sorted(hidden), Mark.STATE),
            **settings,
        },
        mutated=execution.mutated | names,
        alias_groups=(*execution.alias_groups, *(group for group in groups if len(group) > 1)),
    )
