"""Cells that may raise: `--allow-errors` for all, the tag `raises-exception` for one, nbconvert's and nbclient's words.

Such a cell stands as one that worked. Its step runs it up to what raises, prints the exception and goes on, as the
notebook did. On a day on which nothing raises, the whole cell runs; so what the rest of its text binds counts too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution, ExecutionStatus, Mark
from mlops_jupyter.services.pipeline.select.selection import where

TAG = "raises-exception"


def with_allowed_errors(
    history: Sequence[Execution], cells: Sequence[CodeCell | None], all_cells: bool
) -> Iterator[Execution]:
    """Yield the executions; one that raised and may is `OK` and keeps its `error`, and counts as binding all it may.

    Raises
    ------
    UserError
        Such a cell reads a name that exists only on days on which an earlier one does not raise: nothing could be
        handed from one to the other.
    """
    marks: dict[str, str] = {}
    unbound: dict[str, int] = {}
    for position, (execution, cell) in enumerate(zip(history, cells, strict=True)):
        if execution.status is ExecutionStatus.ERROR and (all_cells or TAG in (cell.tags if cell else execution.tags)):
            facts = extract_facts(to_python(execution.body))
            missing = sorted(name for name in facts.reads & unbound.keys() if name not in marks)
            if missing:
                raise UserError(
                    f"{where(position, cells)} uses {missing[0]!r}, which exists only where "
                    f"{where(unbound[missing[0]], cells)} does not raise: bind it before what raises there"
                )
            rest = {name: marks[name] for name in sorted(facts.writes & marks.keys() - execution.writes.keys())}
            unbound |= dict.fromkeys(facts.writes - execution.writes.keys() - marks.keys(), position)
            execution = replace(
                execution,
                status=ExecutionStatus.OK,
                reads=execution.reads | rest.keys(),
                writes={**execution.writes, **rest},
            )
        marks |= {name: mark for name, mark in execution.writes.items() if mark != Mark.TIED}
        for name in execution.deletes:
            marks.pop(name, None)
        yield execution
