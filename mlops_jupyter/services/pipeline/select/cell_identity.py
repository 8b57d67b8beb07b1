"""Which cell each execution was of: the one place that says whether two executions ran the same cell.

A cell is told by its place in the notebook's file, else by the id that the front end gives it. A plain terminal gives
neither. There a cell is told by what it is: the step that its `%%pipeline` line names, and its text.
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
    """Return for each execution its cell in the notebook's file; None where that was edited or deleted since."""
    return match(cells, [(execution.cell, execution.raw) for execution in history])


def step_name(execution: Execution) -> str:
    """Return the step that a cell's `%%pipeline NAME` line names, "" if none."""
    header = execution.header("pipeline")
    words = header.line.split() if header else []
    return words[0] if words and not words[0].startswith("-") else ""


class CellRuns:
    """A history with its executions told apart by cell. Answers questions; never changes.

    Attributes
    ----------
    keys : for each execution, the key of its cell.

    Parameters
    ----------
    cells : for each execution its cell in the notebook's file (see `in_file`); nothing where there is no file.
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
        """The executions that stand for their cells, in order: the last good one of each.

        Where text alone tells a cell and no step names it, two lines of a session may be equal and yet mean two things
        (`save(model, path)`, `%track log auc=auc`). There an earlier execution stands, too, if it ran a magic or made
        something that the last one did not make again.
        """
        newest = {key: p for p, key in enumerate(self.keys) if self._history[p].status is ExecutionStatus.OK}
        return tuple(
            position
            for position, key in enumerate(self.keys)
            if self._history[position].status is ExecutionStatus.OK
            and (newest[key] == position or (_by_text_alone(key) and self._is_its_own(position, newest[key])))
        )

    def _is_its_own(self, earlier: int, later: int) -> bool:
        """Whether an execution did something that a later one of the same text does not stand for."""
        return not self.made_again(earlier, later) or _runs_magics(self._history[earlier])

    def made_again(self, earlier: int, later: int) -> bool:
        """Whether an execution left something behind, and a later one made or deleted all of that again."""
        left = self._history[earlier].writes.keys()
        return bool(left) and left <= self._history[later].writes.keys() | self._history[later].deletes

    def edits(self, kept: Set[int]) -> list[tuple[int, int]]:
        """Return (earlier, later) executions of one step that are two cells here, and may be one cell that was edited.

        Only cells that text tells are in doubt. The later one made again all that the earlier one made.
        """
        wordings: dict[str, list[int]] = {}
        for position in sorted(kept):
            if self.keys[position][0] == "text" and (name := step_name(self._history[position])):
                wordings.setdefault(name, []).append(position)
        pairs = (pair for positions in wordings.values() for pair in combinations(positions, 2))
        return [(earlier, later) for earlier, later in pairs if self.made_again(earlier, later)]


def _keys(history: Sequence[Execution], cells: Sequence[CodeCell | None]) -> tuple[CellKey, ...]:
    """Return the key of each execution's cell.

    An execution without an id takes the key of the cell with its step and text that ran before it, else after it: a
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
    """Whether a cell holds a magic or a shell line: what it logs or runs is no name that could be compared."""
    body = execution.body
    typed = ("%" in body or "!" in body) and any(piece.kind is not SegmentKind.PYTHON for piece in segments(body))
    return typed or bool(execution.headers)


def _by_text_alone(key: CellKey) -> bool:
    """Whether neither an id nor a step tells a cell."""
    return key[:2] == ("text", "")
