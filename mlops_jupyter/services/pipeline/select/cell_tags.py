"""The roles that tags of Kale and papermill give to a notebook's cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.graph import Graph
from mlops_jupyter.services.pipeline.steps.grouping import Group, identifier

STEP = re.compile(r"(?:step|block):(\S+)")
BEFORE = re.compile(r"prev:(\S+)")


class Role(Enum):
    """The role of a cell."""

    PLAIN = ""
    STEP = "step"
    IMPORTS = "imports"
    FUNCTIONS = "functions"
    PARAMETERS = "pipeline-parameters"  # of papermill: `parameters`, `injected-parameters`
    METRICS = "pipeline-metrics"
    SKIP = "skip"


@dataclass(frozen=True)
class CellTag:
    """The meaning of one cell's tags.

    Attributes
    ----------
    step : the step that the cell belongs to, "" for none.
    after : the steps after which this step comes.
    """

    role: Role = Role.PLAIN
    step: str = ""
    after: tuple[str, ...] = ()


ROLES = {role.value: role for role in (Role.IMPORTS, Role.FUNCTIONS, Role.METRICS, Role.SKIP, Role.PARAMETERS)}
PAPERMILL = frozenset({"parameters", "injected-parameters"})


def mark(tags: Sequence[str], kale: bool) -> CellTag:
    """Parse one cell's tags; tags of Kale count only if `kale` says that the notebook names steps by them.

    Examples
    --------
    >>> mark(["block:train", "prev:load"], kale=True)
    CellTag(role=<Role.STEP: 'step'>, step='train', after=('load',))
    """
    if PAPERMILL & set(tags):
        return CellTag(Role.PARAMETERS)
    step = next((match[1] for tag in tags if (match := STEP.fullmatch(tag))), "") if kale else ""
    if step:
        after = tuple(identifier(match[1], "step") for tag in tags if (match := BEFORE.fullmatch(tag)))
        return CellTag(Role.STEP, identifier(step, "step"), after)
    return CellTag(next((ROLES[tag] for tag in tags if kale and tag in ROLES), Role.PLAIN))


def marks(graph: Graph, cells: Sequence[CodeCell | None], file: Sequence[CodeCell]) -> dict[int, CellTag]:
    """Return the meaning of the tags for each execution.

    As in Kale, an untagged cell belongs to the step of the cell before it in the file; skipped cells do not count.
    """
    kale = any(STEP.fullmatch(tag) for cell in file for tag in cell.tags)
    of_cell: dict[int, CellTag] = {}
    last = CellTag()
    for cell in file:
        own = mark(cell.tags, kale)
        if own.role is Role.PLAIN and kale:
            own = replace(last, after=())
        elif own.role is not Role.SKIP:
            last = own
        of_cell[cell.number] = own
    return {
        position: of_cell[cell.number] if cell else mark(execution.tags, kale)
        for position, (execution, cell) in enumerate(zip(graph.history, cells, strict=True))
    }


def printed(body: str) -> tuple[str, ...]:
    """Return the names that a cell prints: the metrics of a `pipeline-metrics` cell.

    Examples
    --------
    >>> printed("print(accuracy)\\nprint('loss', loss)")
    ('accuracy', 'loss')
    """
    calls = [node for node in ast.walk(ast.parse(to_python(body))) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    return tuple(
        dict.fromkeys(argument.id for call in prints for argument in call.args if isinstance(argument, ast.Name))
    )


def after(groups: Sequence[Group], marked: Mapping[int, CellTag]) -> dict[str, tuple[str, ...]]:
    """Return step -> steps that its tags put before it. Only earlier steps count, so that no cycle arises."""
    predecessors: dict[str, tuple[str, ...]] = {}
    for number, step in enumerate(groups):
        names = {name for member in step.members for name in marked[member].after}
        predecessors[step.name] = tuple(
            earlier.name for earlier in groups[:number] if any(marked[m].step in names for m in earlier.members)
        )
    return predecessors
