"""What the tags of Kale and papermill say of a notebook's cells."""

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
    """What a cell is for."""

    PLAIN = ""
    STEP = "step"
    IMPORTS = "imports"
    FUNCTIONS = "functions"
    PARAMETERS = "pipeline-parameters"  # of papermill: `parameters`, `injected-parameters`
    METRICS = "pipeline-metrics"
    SKIP = "skip"


@dataclass(frozen=True)
class CellTag:
    """What the tags of one cell say.

    Attributes
    ----------
    step : the step that the cell belongs to, "" for none.
    after : steps that come before it.
    """

    role: Role = Role.PLAIN
    step: str = ""
    after: tuple[str, ...] = ()


ROLES = {role.value: role for role in (Role.IMPORTS, Role.FUNCTIONS, Role.METRICS, Role.SKIP, Role.PARAMETERS)}
PAPERMILL = frozenset({"parameters", "injected-parameters"})


def mark(tags: Sequence[str], kale: bool) -> CellTag:
    """Read one cell's tags; those of Kale only in a notebook that names steps by them.

    Examples
    --------
    >>> mark(["block:train", "prev:load"], kale=True)
    Mark(role=<Role.STEP: 'step'>, step='train', after=('load',))
    """
    if PAPERMILL & set(tags):
        return CellTag(Role.PARAMETERS)
    named = next((found[1] for tag in tags if (found := STEP.fullmatch(tag))), "") if kale else ""
    if named:
        after = tuple(identifier(found[1], "step") for tag in tags if (found := BEFORE.fullmatch(tag)))
        return CellTag(Role.STEP, identifier(named, "step"), after)
    return CellTag(next((ROLES[tag] for tag in tags if kale and tag in ROLES), Role.PLAIN))


def marks(graph: Graph, cells: Sequence[CodeCell | None], file: Sequence[CodeCell]) -> dict[int, CellTag]:
    """Say what the tags mean for each execution.

    An untagged cell belongs where the one before it in the file does, as Kale has it; a cell to skip is no such one.
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
    """Return the names that a cell prints, which are a `pipeline-metrics` cell's metrics.

    Examples
    --------
    >>> printed("print(accuracy)\\nprint('loss', loss)")
    ('accuracy', 'loss')
    """
    calls = [node for node in ast.walk(ast.parse(to_python(body))) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    return tuple(dict.fromkeys(given.id for call in prints for given in call.args if isinstance(given, ast.Name)))


def after(groups: Sequence[Group], marked: Mapping[int, CellTag]) -> dict[str, tuple[str, ...]]:
    """Return step -> steps that its tags put before it: only those that are before it, so that no circle comes."""
    found: dict[str, tuple[str, ...]] = {}
    for number, each in enumerate(groups):
        wanted = {name for member in each.members for name in marked[member].after}
        found[each.name] = tuple(
            earlier.name for earlier in groups[:number] if any(marked[m].step in wanted for m in earlier.members)
        )
    return found
