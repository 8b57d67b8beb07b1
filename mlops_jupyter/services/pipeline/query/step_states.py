"""The present states of the steps: which are fresh, and which would give other values if they ran again."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.cells import split_headers, to_python
from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import extract_facts, normalized_source
from mlops_jupyter.analysis.graph import Graph, build
from mlops_jupyter.analysis.syntax.parsing import ParseError, lines_of
from mlops_jupyter.core.executions import Execution, ExecutionStatus, Mark
from mlops_jupyter.core.hidden_names import HIDDEN
from mlops_jupyter.runtime.hashing import shown_version
from mlops_jupyter.services.pipeline.select.cell_identity import CellKey, CellRuns, step_name
from mlops_jupyter.store.ledger import Ledger


class StepState(Enum):
    """The state of a step."""

    FRESH = "fresh"  # its values are what running it now would start from
    STALE = "stale"  # something it took has changed since it ran
    CACHED = "cached"  # a run of the pipeline, started now, would take its values from the cache
    FAILED = "failed"  # its last execution raised


@dataclass(frozen=True)
class StepView:
    """One step for display.

    Attributes
    ----------
    inputs, outputs : names, without those of hidden variables.
    volatile : why it runs each time, cached or not (it reads the clock ...); () for most steps.
    """

    name: str
    version: str
    state: StepState
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    volatile: tuple[str, ...] = ()


def marked(history: Sequence[Execution]) -> list[StepView]:
    """Return the steps that `%%pipeline NAME` cells name, in the order of their first executions."""
    graph = build(history)
    reruns = Reruns(graph)
    return [_view(graph, reruns, name, members) for name, members in _members(history).items()]


def _members(history: Sequence[Execution]) -> dict[str, list[int]]:
    """Return step -> its executions: those that stand for its cells, and its last one, successful or not."""
    runs = CellRuns(history)
    names = [step_name(execution) for execution in history]
    last = {names[position]: position for position in sorted(runs.newest.values())}
    members: dict[str, dict[CellKey, int]] = {name: {} for name in names if name and name in last}
    for position in (*runs.standing, *last.values()):
        if names[position] in members:
            members[names[position]][runs.keys[position]] = position
    return {name: sorted(positions.values()) for name, positions in members.items()}


def _view(graph: Graph, reruns: Reruns, name: str, members: Sequence[int]) -> StepView:
    inputs: dict[str, None] = {}
    outputs: dict[str, None] = {}
    source = ""
    for member in members:
        execution = graph.history[member]
        python = to_python(execution.body)
        source_facts = extract_facts(python)
        source += normalized_source(python)
        code = {*source_facts.imports, *source_facts.definitions}
        outputs |= dict.fromkeys(n for n in execution.writes if not n.startswith(HIDDEN) and n not in code)
        inputs |= dict.fromkeys(
            n
            for n, maker in graph.producers[member].items()
            if maker not in members and not n.startswith(HIDDEN) and not _is_code(graph.history[maker], n)
        )
    failed = graph.history[members[-1]].status is not ExecutionStatus.OK
    return StepView(
        name=name,
        version=shown_version(source),
        state=StepState.FAILED if failed else StepState.STALE if reruns.outdate(members) else StepState.FRESH,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
    )


class Reruns:
    """Finds the executions of a history that wrote a name again. Answers questions; never changes.

    A name is written again if a later execution of the same maker writes it. The maker is the step that the cell's
    author names, else the cell (see `cell_identity`). A function, class or import is another if its source is, in a
    later execution or in the cell as it stands in the notebook's file now.
    """

    def __init__(self, graph: Graph, cells: Sequence[CodeCell | None] = ()) -> None:
        self._graph = graph
        self._cells = cells or [None] * len(graph.history)
        keys = CellRuns(graph.history, cells).keys
        names = map(step_name, graph.history)
        self._makers: list[CellKey] = [("step", name) if name else key for name, key in zip(names, keys, strict=True)]
        self._made: dict[tuple[CellKey, str], list[int]] = defaultdict(list)
        for position, execution in enumerate(graph.history):
            for name in execution.writes:
                self._made[self._makers[position], name].append(position)

    def outdate(self, members: Sequence[int]) -> bool:
        """Say whether an input of these executions is another now: its maker ran again, or its code was edited."""
        return any(
            self._made_otherwise(member, name, maker)
            for member in members
            for name, maker in self._graph.producers[member].items()
        )

    def _made_otherwise(self, member: int, name: str, maker: int) -> bool:
        history = self._graph.history
        mark = history[maker].writes.get(name)
        later = [p for p in self._made.get((self._makers[maker], name), ()) if p > member]
        if mark != Mark.CODE:
            return any(history[position].writes[name] != mark for position in later)
        was = _code_of(history[maker].body, name)
        texts = [history[position].body for position in later]
        cell = self._cells[maker]
        if cell is not None and cell.source.strip() != history[maker].raw.strip():
            texts.append(split_headers(cell.source)[1])
        return any(_code_of(text, name) != was for text in texts)


def _code_of(body: str, name: str) -> str:
    """Return the source, without formatting, of the import or definition that binds a name; "" for none."""
    python = to_python(body)
    try:
        facts = extract_facts(python)
        binding = next((s for s in reversed(facts.statements) if name in s.writes), None)
        if binding is None or name in facts.imports:
            return facts.imports.get(name, "")
        return normalized_source("\n".join(lines_of(python)[binding.span.line - 1 : binding.span.end_line]))
    except ParseError:
        return ""


def _is_code(execution: Execution, name: str) -> bool:
    return execution.writes.get(name) == Mark.CODE


class Steps:
    """Keeps the ledger's view of a session's steps current, for panels that cannot ask the kernel.

    The view is made anew after each cell, so it never shows `CACHED`: the cache key of a step needs the whole plan and
    every data file, which takes a tenth of a second or more. `%pipeline` shows it (`export.run.cache_status`).
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._shown: list[StepView] = []

    def follow(self, session: str, history: Sequence[Execution]) -> None:
        """Write the steps if they changed since the last call. A notebook without named steps costs nothing."""
        if not self._shown and not step_name(history[-1]):
            return
        views = marked(history)
        if views == self._shown:
            return
        updated = time.time()
        with self._ledger.transaction():
            self._ledger.execute("DELETE FROM step_view WHERE session = ?", (session,))
            self._ledger.executemany(
                "INSERT INTO step_view (session, name, position, version, state, inputs, outputs, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (session, v.name, i, v.version, v.state.value, json.dumps(v.inputs), json.dumps(v.outputs), updated)
                    for i, v in enumerate(views)
                ],
            )
        self._shown = views
