"""The steps as the notebook has them now: which are fresh, which would give something else if run again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts import facts, normalised
from mlops_jupyter.analysis.graph import Graph, build
from mlops_jupyter.core.plan import HIDDEN
from mlops_jupyter.core.records import Execution, Status
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
    latest: dict[str, list[int]] = {}
    for position, execution in enumerate(history):
        name = step_name(execution)
        if name:
            members = latest.setdefault(name, [])
            same = [m for m in members if history[m].cell == execution.cell and execution.cell] or members
            latest[name] = [*(m for m in members if m not in same), position]
    return [_view(graph, name, members) for name, members in latest.items()]


def _view(graph: Graph, name: str, members: Sequence[int]) -> StepView:
    taken: dict[str, int] = {}
    made: dict[str, None] = {}
    source = ""
    for member in members:
        execution = graph.history[member]
        found = facts(to_python(execution.body))
        source += normalised(to_python(execution.body))
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
        version=hashlib.blake2b(source.encode(), digest_size=6).hexdigest(),
        state=State.FAILED if failed else State.STALE if stale(graph, members) else State.FRESH,
        inputs=tuple(taken),
        outputs=tuple(made),
    )


def stale(graph: Graph, members: Sequence[int]) -> bool:
    """Whether a cell that made something these executions took has run again since, and made something else."""
    for member in members:
        for name, maker in graph.producers[member].items():
            made = graph.history[maker]
            for later in graph.history[member + 1 :]:
                again = later is not made and _same_cell(later, made)
                if again and name in later.writes and later.writes[name] != made.writes.get(name):
                    return True
    return False


def _same_cell(one: Execution, other: Execution) -> bool:
    if step_name(one) or step_name(other):
        return step_name(one) == step_name(other)
    return one.cell == other.cell if one.cell and other.cell else one.body == other.body


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
