"""The identity of cells: the one place that decides whether two executions ran the same cell.

A cell is identified by its place in the notebook's file, else by the id that the front end gives it. A plain terminal
gives neither. There a cell is identified by the step that its `%%pipeline` line names, and by its text.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import cached_property
from itertools import combinations

from mlops_jupyter.analysis.cells import SegmentKind, segments
from mlops_jupyter.analysis.cells.outline import CodeCell, match
from mlops_jupyter.core.executions import Execution, ExecutionStatus

CellKey = tuple[str, ...]
"""Equal for the executions of one cell: ("file", number), ("id", the front end's id) or ("text", step, body)."""


def in_file(history: Sequence[Execution], cells: Sequence[CodeCell]) -> list[CodeCell | None]:
    """Return each execution's cell in the notebook's file; None where the cell was edited or deleted since."""
    return match(cells, [(execution.cell, execution.raw) for execution in history])


def step_name(execution: Execution) -> str:
    """Return the step that a cell's `%%pipeline NAME` line names, "" if it names none."""
    header = execution.header("pipeline")
    words = header.line.split() if header else []
    return words[0] if words and not words[0].startswith("-") else ""


class CellRuns:
    """A history's executions by cell. Answers questions; never changes.

    Attributes
    ----------
    keys : for each execution, the key of its cell.

    Parameters
    ----------
    cells : for each execution its cell in the notebook's file (see `in_file`); empty where there is no file.
    """

    def __init__(self, history: Sequence[Execution], cells: Sequence[CodeCell | None] = ()) -> None:
        self._history = history
        self.keys: tuple[CellKey, ...] = _keys(history, cells or [None] * len(history))

    @cached_property
    def newest(self) -> dict[CellKey, int]:
        """The last execution of each cell, failed or not."""
        return {key: position for position, key in enumerate(self.keys)}

    @cached_property
    def standing(self) -> tuple[int, ...]:
        """The executions that stand for their cells, in order: the last successful one of each cell.

        Where only its text identifies a cell and no step names it, two lines of a session may be equal and yet mean
        two things (`save(model, path)`, `%track log auc=auc`). There an earlier execution stands as well, if it ran a
        magic or wrote something that the last one did not write again.
        """
        newest = {key: p for p, key in enumerate(self.keys) if self._history[p].status is ExecutionStatus.OK}
        return tuple(
            position
            for position, key in enumerate(self.keys)
            if self._history[position].status is ExecutionStatus.OK
            and (newest[key] == position or (_by_text_alone(key) and self._is_its_own(position, newest[key])))
        )

    def _is_its_own(self, earlier: int, later: int) -> bool:
        """Say whether an execution had an effect that a later execution of the same text does not repeat."""
        return not self.made_again(earlier, later) or _runs_magics(self._history[earlier])

    def made_again(self, earlier: int, later: int) -> bool:
        """Say whether an execution wrote names, and a later one wrote or deleted every one of them again."""
        left = self._history[earlier].writes.keys()
        return bool(left) and left <= self._history[later].writes.keys() | self._history[later].deletes

    def edits(self, kept: Set[int]) -> list[tuple[int, int]]:
        """Return pairs (earlier, later) of executions that count as two cells of a step, but may be one edited cell.

        Only cells that are identified by their text are in doubt. The later execution wrote again all that the earlier
        one wrote.
        """
        positions_of: dict[str, list[int]] = {}
        for position in sorted(kept):
            if self.keys[position][0] == "text" and (name := step_name(self._history[position])):
                positions_of.setdefault(name, []).append(position)
        pairs = (pair for positions in positions_of.values() for pair in combinations(positions, 2))
        return [(earlier, later) for earlier, later in pairs if self.made_again(earlier, later)]


def _keys(history: Sequence[Execution], cells: Sequence[CodeCell | None]) -> tuple[CellKey, ...]:
    """Return the key of each execution's cell.

    An execution without an id takes the key of the nearest earlier, else later, execution of the same step and text: a
    console may share a notebook's kernel.
    """
    known: list[CellKey | None] = [
        ("file", str(cell.number)) if cell else ("id", execution.cell) if execution.cell else None
        for execution, cell in zip(history, cells, strict=True)
    ]
    texts = [(step_name(execution), execution.body.strip()) for execution in history]
    nearest = {text: key for text, key in zip(reversed(texts), reversed(known), strict=True) if key}
    keys: list[CellKey] = []
    for text, key in zip(texts, known, strict=True):
        if key:
            nearest[text] = key
        keys.append(key or nearest.get(text) or ("text", *text))
    return tuple(keys)


def _runs_magics(execution: Execution) -> bool:
    """Say whether a cell holds a magic or a shell line, whose effects are no names that could be compared."""
    body = execution.body
    typed = ("%" in body or "!" in body) and any(piece.kind is not SegmentKind.PYTHON for piece in segments(body))
    return typed or bool(execution.headers)


def _by_text_alone(key: CellKey) -> bool:
    """Say whether only its text identifies a cell: neither an id nor a step does."""
    return key[:2] == ("text", "")
