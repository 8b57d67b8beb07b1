"""Select the executions that a pipeline keeps, and label each with the step that its author put it into."""

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
"""Roles whose cells make a step of their own, if they do more than define."""

FEW_SECTIONS = 3
"""A notebook with fewer sections is divided further, by the stage of its cells."""


@dataclass(frozen=True)
class DisplayOnly:
    """Results of our own magics that are only for display (`table = %pipeline`), and what was made with them.

    Attributes
    ----------
    values : (name, position of the execution that wrote it) of each such result, and of each value made with one.
    executions : positions of the executions that used such a result; they have no meaning without a notebook.
    """

    values: frozenset[tuple[str, int]]
    executions: frozenset[int]


def find_display_only(graph: Graph, answers: Callable[[Execution], frozenset[str]]) -> DisplayOnly:
    """Follow results that are only for display through the history.

    Parameters
    ----------
    answers : returns the names that an execution bound to such results.
    """
    values: set[tuple[str, int]] = set()
    executions: set[int] = set()
    for position, execution in enumerate(graph.history):
        names = answers(execution) if "%" in execution.body else frozenset()
        used = names and any(names & s.reads for s in extract_facts(to_python(execution.body)).statements)
        if used or not values.isdisjoint(graph.producers[position].items()):
            executions.add(position)
            names = frozenset(execution.writes)
        values |= {(name, position) for name in names}
    return DisplayOnly(frozenset(values), frozenset(executions))


def select(
    graph: Graph, cells: Sequence[CodeCell | None], live: Sequence[str], looks: DisplayOnly, skipped: Set[int]
) -> tuple[int, ...]:
    """Return the executions to keep: the last successful one of each cell, and all that live values depend on.

    Executions that only display the pipeline, and those that their author skips, are left out unless others need them.

    Parameters
    ----------
    live : names whose present values are kept.
    looks : the display-only values and executions.
    skipped : positions of the executions whose cells are tagged skip.

    Raises
    ------
    UserError
        If a needed value was left half-made by a cell that failed.
    """
    live_makers = {graph.last[n] for n in live if n in graph.last and (n, graph.last[n]) not in looks.values}
    standing = set(CellRuns(graph.history, cells).standing)
    kept = graph.slice(live_makers | (standing - looks.executions - skipped))
    for position in kept:
        execution = graph.history[position]
        if execution.status is not ExecutionStatus.OK:
            raise UserError(
                f"{where(position, cells)} failed half way ({execution.error}) and changed {_some(execution.writes)}, "
                "which later cells use: run it again without a fault, then export"
            )
    return kept


def where(position: int, cells: Sequence[CodeCell | None]) -> str:
    """Name an execution in a message: its cell's number and heading, or its place in the history."""
    cell = cells[position]
    if cell is None:
        return f"execution {position + 1} (its cell was edited or deleted since)"
    return f"cell {cell.number}" + (f" ({cell.heading})" if cell.heading else "")


def edited_or_further(graph: Graph, kept: Sequence[int], cells: Sequence[CodeCell | None]) -> list[str]:
    """Return a note for each step with two cells that, without cell ids, may be one cell before and after an edit."""
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
    """Return a note for each cell that is kept although its author skips it, with the reason."""
    notes = []
    for position in kept:
        if position in skipped:
            name, user = next(((n, u) for u, n in graph.users.get(position, ()) if u in kept), ("", position))
            use = f"{where(user, cells)} uses {name!r} of it" if name else "an output comes from it"
            notes.append(f"{where(position, cells)} is tagged skip, but {use}: it is kept")
    return notes


def labels(
    graph: Graph, kept: Sequence[int], cells: Sequence[CodeCell | None], marked: Mapping[int, CellTag]
) -> dict[int, GroupLabel]:
    """Label each kept execution with the step that it belongs to.

    The step is that of `%%pipeline NAME`, else of the cell's tags, else of its section, else the stage of its code.
    """
    sections = {cell.section for p in kept if (cell := cells[p]) is not None and cell.heading}
    by_stage = len(sections) < FEW_SECTIONS
    result: dict[int, GroupLabel] = {}
    run, last = 0, ""
    runs: dict[str, list[int]] = {}
    for position in kept:
        execution, cell = graph.history[position], cells[position]
        tag = marked[position]
        by_role = tag.role.value.replace("-", "_") if tag.role in BY_ROLE else ""
        name = step_name(execution) or tag.step or by_role
        if name:
            result[position] = GroupLabel(f"step:{name}", name)
            last = ""
            continue
        stage_name = stage(execution.body)
        section = cell.section if cell else 0
        heading = cell.heading if cell else ""
        if by_stage or not heading:
            if f"{section}:{stage_name}" != last:
                run, last = run + 1, f"{section}:{stage_name}"
            result[position] = GroupLabel(f"run:{run}", stage_name)
            runs.setdefault(heading, []).append(position)
        else:
            last = ""
            result[position] = GroupLabel(f"section:{section}", identifier(heading, stage_name))
    for heading, positions in runs.items():
        if heading and len({result[p].key for p in positions}) == 1:  # not divided: the heading is the better name
            for position in positions:
                result[position] = GroupLabel(result[position].key, identifier(heading, result[position].name))
    return result


def _some(names: Mapping[str, str]) -> str:
    shown = sorted(n for n in names if not n.startswith("~"))
    return ", ".join(map(repr, shown[:3])) + (" …" if len(shown) > 3 else "")
