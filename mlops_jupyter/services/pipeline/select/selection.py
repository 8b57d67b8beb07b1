"""Which executions a pipeline keeps, and which step each belongs to by its author's word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.graph import Graph
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution, ExecutionStatus
from mlops_jupyter.services.pipeline.select.cell_identity import CellRuns, step_name
from mlops_jupyter.services.pipeline.select.cell_tags import CellTag, Role
from mlops_jupyter.services.pipeline.steps.grouping import GroupLabel, identifier, stage

BY_ROLE = (Role.IMPORTS, Role.FUNCTIONS, Role.METRICS)
"""Roles whose cells make a step of their own, as far as they do more than define."""

FEW_SECTIONS = 3
"""A notebook with fewer sections is cut further, by what its cells do."""


@dataclass(frozen=True)
class DisplayOnly:
    """What the notebook did with answers of ours that only serve the person at the screen (`table = %pipeline`).

    Attributes
    ----------
    values : (name, execution that made it): such an answer, or something made with one.
    executions : those that worked with such an answer; they have no meaning without a notebook.
    """

    values: frozenset[tuple[str, int]]
    executions: frozenset[int]


def find_display_only(graph: Graph, answers: Callable[[Execution], frozenset[str]]) -> DisplayOnly:
    """Follow the answers through the history.

    Parameters
    ----------
    answers : names that an execution bound to answers of ours.
    """
    values: set[tuple[str, int]] = set()
    executions: set[int] = set()
    for position, execution in enumerate(graph.history):
        bound = answers(execution) if "%" in execution.body else frozenset()
        used = bound and any(bound & s.reads for s in extract_facts(to_python(execution.body)).statements)
        if used or not values.isdisjoint(graph.producers[position].items()):
            executions.add(position)
            bound = frozenset(execution.writes)
        values |= {(name, position) for name in bound}
    return DisplayOnly(frozenset(values), frozenset(executions))


def select(
    graph: Graph, cells: Sequence[CodeCell | None], live: Sequence[str], looks: DisplayOnly, skipped: Set[int]
) -> tuple[int, ...]:
    """Return the executions worth keeping: the last good one of each cell, and all that values need.

    What only looked at the pipeline is left out, and what its author skips, unless others need it.

    Raises
    ------
    UserError
        A value that is needed was left half-made by a cell that failed, or was there before recording began.
    """
    wanted = {graph.last[n] for n in live if n in graph.last and (n, graph.last[n]) not in looks.values}
    standing = set(CellRuns(graph.history, cells).standing)
    kept = graph.slice(wanted | (standing - looks.executions - skipped))
    for position in kept:
        execution = graph.history[position]
        if execution.status is not ExecutionStatus.OK:
            raise UserError(
                f"{where(position, cells)} failed half way ({execution.error}) and changed {_some(execution.writes)}, "
                "which later cells use: run it again without a fault, then export"
            )
    return kept


def where(position: int, cells: Sequence[CodeCell | None]) -> str:
    """How to name an execution to a person."""
    cell = cells[position]
    if cell is None:
        return f"execution {position + 1} (its cell was edited or deleted since)"
    return f"cell {cell.number}" + (f" ({cell.heading})" if cell.heading else "")


def edited_or_further(graph: Graph, kept: Sequence[int], cells: Sequence[CodeCell | None]) -> list[str]:
    """Say which steps hold a cell that may only be an earlier wording of another: no cell id tells."""
    needed = {maker for position in kept for maker in graph.producers[position].values()}
    doubtful = dict.fromkeys(
        step_name(graph.history[later])
        for earlier, later in CellRuns(graph.history, cells).edits(set(kept))
        if earlier not in needed
    )
    return [
        f"step {name!r} keeps two cells that make the same: the front end gives no cell ids, so that an edited cell "
        "cannot be told from a further one; in a new session the earlier one is gone"
        for name in doubtful
    ]


def needed_all_the_same(
    graph: Graph, kept: Sequence[int], skipped: Set[int], cells: Sequence[CodeCell | None]
) -> list[str]:
    """Say which cells stay though their author skips them, and for what."""
    found = []
    for position in kept:
        if position in skipped:
            name, user = next(((n, u) for u, n in graph.users.get(position, ()) if u in kept), ("", position))
            use = f"{where(user, cells)} uses {name!r} of it" if name else "an output comes from it"
            found.append(f"{where(position, cells)} is tagged skip, but {use}: it is kept")
    return found


def labels(
    graph: Graph, kept: Sequence[int], cells: Sequence[CodeCell | None], marked: Mapping[int, CellTag]
) -> dict[int, GroupLabel]:
    """Say for each kept execution which step it belongs to.

    That is `%%pipeline NAME`, else what its tags say, else its section, else what it does.
    """
    sections = {cell.section for p in kept if (cell := cells[p]) is not None and cell.heading}
    by_stage = len(sections) < FEW_SECTIONS
    found: dict[int, GroupLabel] = {}
    run, last = 0, ""
    runs: dict[str, list[int]] = {}
    for position in kept:
        execution, cell = graph.history[position], cells[position]
        mark = marked[position]
        by_role = mark.role.value.replace("-", "_") if mark.role in BY_ROLE else ""
        name = step_name(execution) or mark.step or by_role
        if name:
            found[position] = GroupLabel(f"step:{name}", name)
            last = ""
            continue
        doing = stage(execution.body)
        section = cell.section if cell else 0
        heading = cell.heading if cell else ""
        if by_stage or not heading:
            if f"{section}:{doing}" != last:
                run, last = run + 1, f"{section}:{doing}"
            found[position] = GroupLabel(f"run:{run}", doing)
            runs.setdefault(heading, []).append(position)
        else:
            last = ""
            found[position] = GroupLabel(f"section:{section}", identifier(heading, doing))
    for heading, positions in runs.items():
        if heading and len({found[p].key for p in positions}) == 1:  # nothing was cut: the author's word is the better
            for position in positions:
                found[position] = GroupLabel(found[position].key, identifier(heading, found[position].name))
    return found


def _some(names: Mapping[str, str]) -> str:
    shown = sorted(n for n in names if not n.startswith("~"))
    return ", ".join(map(repr, shown[:3])) + (" …" if len(shown) > 3 else "")
