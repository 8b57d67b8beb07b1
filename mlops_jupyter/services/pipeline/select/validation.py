"""Refuse values that a bundle cannot make again, by name, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.hidden_names import HIDDEN
from mlops_jupyter.services.pipeline.ports import Recording
from mlops_jupyter.services.pipeline.select.selection import where
from mlops_jupyter.services.pipeline.steps.cell_code import CellCodes

KEPT_BY_IPYTHON = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|In|Out").fullmatch
"""Match the names under which IPython keeps earlier inputs and outputs."""


def kept_by_ipython(place: str, name: str) -> UserError:
    """Return the error for a name under which IPython keeps an earlier input or output."""
    return UserError(f"{place} uses {name!r}, which IPython keeps: give the value a name of its own")


def made_by_none(place: str, name: str, before: Set[str]) -> UserError:
    """Return the error for a value that no cell made: it was made before recording began, or between two cells."""
    if name not in before:
        return UserError(
            f"{place} uses {name!r}, which was made between two cells, by a widget or a thread: make it in a cell"
        )
    return UserError(
        f"{place} uses {name!r}, which was made before `%load_ext mlops_jupyter`: "
        "restart the kernel, load the extension first and run the notebook again"
    )


def check_seen(history: Sequence[Execution], cells: Sequence[CodeCell | None]) -> None:
    """Refuse a history with an unobserved execution, from which any value may come."""
    for position, execution in enumerate(history):
        if execution.unobserved:
            raise UserError(
                f"what {where(position, cells)} changed is not known ({execution.unobserved}): "
                "restart the kernel and run the notebook again"
            )


def check_born(parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None], recording: Recording) -> None:
    """Refuse reads of values that no recorded cell made, and of values that IPython keeps."""
    for position in kept:
        for name in sorted(parts[position].facts.reads - parts[position].facts.writes):
            if KEPT_BY_IPYTHON(name):
                raise kept_by_ipython(where(position, cells), name)
        for name in sorted(parts.graph.undefined_reads(position)):
            if not name.startswith(HIDDEN):
                raise made_by_none(where(position, cells), name, recording.before)


def check_lost(parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None]) -> None:
    """Refuse reads of a magic's result that a bundle cannot bind."""
    for position in kept:
        part = parts[position]
        for name in sorted(part.facts.reads | parts.graph.producers[position].keys()):
            own = name in part.facts.reads and name in part.translation.lost
            maker = position if own else parts.graph.producers[position].get(name)
            if maker is not None and maker in parts and name in parts[maker].translation.lost:
                reason = parts[maker].translation.lost[name]
                raise UserError(f"{where(position, cells)} uses {name!r}, which {reason}")
