"""The steps as the notebook has them now: which are fresh, which would give something else if run again."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts import facts, normalised
from mlops_jupyter.analysis.graph import Graph, build
from mlops_jupyter.core.plan import HIDDEN
from mlops_jupyter.core.records import Execution, Status
from mlops_jupyter.runtime.hashing import shown_version
from mlops_jupyter.services.pipeline.choosing import step_name
from mlops_jupyter.store.ledger import Ledger


class State(Enum):
    """Where a step stands."""

    FRESH = "fresh"  # its values are what running it now would start from
    STALE = "stale"  # something it took has changed since it ran
    CACHED = "cached"  # a run of the pipeline has kept what this version makes
    FAILED = "failed"  # its last execution raised


@dataclass(frozen=True)
class StepView:
    """One step for people: its version, state, and the values it takes and makes."""

    name: str
    version: str
    state: State
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def marked(history: Sequence[Execution]) -> list[StepView]:
    """Return the steps that `%%pipeline NAME` cells name, in the order in which they were first run."""
    graph = build(history)
    reruns = Reruns(graph)
    latest: dict[str, list[int]] = {}
    for position, execution in enumerate(history):
        name = step_name(execution)
        if name:
            members = latest.setdefault(name, [])
            same = [m for m in members if history[m].cell == execution.cell and execution.cell] or members
            latest[name] = [*(m for m in members if m not in same), position]
    return [_view(graph, reruns, name, members) for name, members in latest.items()]


def _view(graph: Graph, reruns: Reruns, name: str, members: Sequence[int]) -> StepView:
    taken: dict[str, int] = {}
    made: dict[str, None] = {}
    source = ""
    for member in members:
        execution = graph.history[member]
        python = to_python(execution.body)
        found = facts(python)
        source += normalised(python)
        code = {*found.imports, *found.definitions}
        made |= dict.fromkeys(n for n in execution.writes if not n.startswith(HIDDEN) and n not in code)
        taken |= {
            n: p
            for n, p in graph.producers[member].items()
            if p not in members and not n.startswith(HIDDEN) and not _is_code(graph.history[p], n)
        }
    failed = any(graph.history[m].status is not Status.OK for m in members)
    return StepView(
        name=name,
        version=shown_version(source),
        state=State.FAILED if failed else State.STALE if reruns.outdate(members) else State.FRESH,
        inputs=tuple(taken),
        outputs=tuple(made),
    )


class Reruns:
    """Which executions of a history made a name anew that the same cell had made before. Answers; never changes.

    Cells are the same if their author gave them one step, else by the front end's id, else by their text.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._made: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for position, execution in enumerate(graph.history):
            for cell in _filed(execution):
                for name in execution.writes:
                    self._made[*cell, name].append(position)

    def outdate(self, members: Sequence[int]) -> bool:
        """Whether a cell that made something these executions took has run again since, and made something else."""
        return any(
            self._made_else(member, name, maker)
            for member in members
            for name, maker in self._graph.producers[member].items()
        )

    def _made_else(self, member: int, name: str, maker: int) -> bool:
        history = self._graph.history
        mark = history[maker].writes.get(name)
        for cell in _looked_up(history[maker]):
            for later in reversed(self._made.get((*cell, name), ())):
                if later <= member:
                    break
                if history[later].writes[name] != mark:
                    return True
        return False


def _filed(execution: Execution) -> Iterator[tuple[str, str]]:
    """Yield the words under which an execution is kept."""
    step = step_name(execution)
    if step:
        yield "step", step
    elif execution.cell:
        yield "cell", execution.cell
        yield "text of a cell", execution.body
    else:
        yield "text", execution.body


def _looked_up(execution: Execution) -> Iterator[tuple[str, str]]:
    """Yield the words under which those of the same cell are kept: by text only where one of the two has no id."""
    step = step_name(execution)
    if step:
        yield "step", step
        return
    yield "text", execution.body
    yield ("cell", execution.cell) if execution.cell else ("text of a cell", execution.body)


def _is_code(execution: Execution, name: str) -> bool:
    return execution.writes.get(name) == "code"


class Steps:
    """Keeps the ledger's picture of a session's steps current, for panels that cannot ask the kernel."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._shown: list[StepView] = []

    def follow(self, session: str, history: Sequence[Execution]) -> None:
        """Write what changed since the last call; a notebook without marked steps costs nothing."""
        if not self._shown and not step_name(history[-1]):
            return
        views = marked(history)
        if views == self._shown:
            return
        now = time.time()
        with self._ledger.transaction():
            self._ledger.execute("DELETE FROM step_view WHERE session = ?", (session,))
            self._ledger.executemany(
                "INSERT INTO step_view (session, name, position, version, state, inputs, outputs, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (session, v.name, i, v.version, v.state.value, json.dumps(v.inputs), json.dumps(v.outputs), now)
                    for i, v in enumerate(views)
                ],
            )
        self._shown = views
