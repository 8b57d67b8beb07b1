"""Edits of which another day is made: of one row or cell of a data file, of its rows' order, or of a parameter."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mlops_jupyter.runtime.cli.parameters import format_value
from mlops_jupyter.services.export.differential.tables import ABSENT, DataTable

MOST = 12
"""Rows or cells that one kind of edit touches at most."""


class EditKind(Enum):
    """What an edit of a data file does."""

    DROP = "dropped"
    DOUBLE = "twice"
    SET = "set"
    SHUFFLE = "shuffled"
    KEEP = "kept"


@dataclass(frozen=True)
class TableEdit:
    """An edit of a data file.

    Attributes
    ----------
    file : path as the notebook writes it.
    row : number of the row in the file as it is, from 1; for SHUFFLE the seed of the order, for KEEP how many stay.
    column : number of the cell, from 0; for SET only.
    text : what the edit does, for people.
    """

    file: str
    kind: EditKind
    row: int
    column: int = 0
    value: Any = None
    text: str = ""


@dataclass(frozen=True)
class ParameterEdit:
    """Another value of a parameter."""

    name: str
    value: object

    @property
    def text(self) -> str:
        """The option of a command line that sets it."""
        return f"-p {self.name}={format_value(self.value)}"


Edit = TableEdit | ParameterEdit


def apply(table: DataTable, edits: Iterable[TableEdit]) -> bytes:
    """Return the bytes of a data file after some edits. Rows are counted as in the file before any of them."""
    edits = list(edits)
    rows = {number: list(row) for number, row in enumerate(table.rows, start=1)}
    for edit in edits:
        if edit.kind is EditKind.SET:
            rows[edit.row][edit.column] = edit.value
    order = list(rows)
    for edit in edits:
        if edit.kind is EditKind.DROP:
            order = [number for number in order if number != edit.row]
        elif edit.kind is EditKind.DOUBLE:
            order += [edit.row]
        elif edit.kind is EditKind.KEEP:
            order = order[: edit.row]
        elif edit.kind is EditKind.SHUFFLE:
            random.Random(edit.row).shuffle(order)
    return table.write([rows[number] for number in order])


Drawn = Callable[[str, DataTable, random.Random], Iterator[TableEdit]]
"""Draws edits of one kind: file, its table, source of randomness -> edits."""


def _rows(table: DataTable, draw: random.Random) -> list[int]:
    """Return the numbers of a few rows: one in ten, at least one, none if there are none."""
    numbers = range(1, len(table.rows) + 1)
    return sorted(draw.sample(numbers, min(len(numbers), MOST, max(1, len(numbers) // 10))))


def _dropped(file: str, table: DataTable, draw: random.Random) -> Iterator[TableEdit]:
    for row in _rows(table, draw):
        yield TableEdit(file, EditKind.DROP, row, text=f"row {row} dropped")


def _doubled(file: str, table: DataTable, draw: random.Random) -> Iterator[TableEdit]:
    for row in _rows(table, draw):
        yield TableEdit(file, EditKind.DOUBLE, row, text=f"row {row} twice")


def _shuffled(file: str, table: DataTable, draw: random.Random) -> Iterator[TableEdit]:
    yield TableEdit(file, EditKind.SHUFFLE, draw.randrange(2**16), text="rows shuffled")


def _one_row(file: str, table: DataTable, draw: random.Random) -> Iterator[TableEdit]:
    yield TableEdit(file, EditKind.KEEP, 1, text="only the first row")


def _no_row(file: str, table: DataTable, draw: random.Random) -> Iterator[TableEdit]:
    yield TableEdit(file, EditKind.KEEP, 0, text="no rows")


def _cells(new: Callable[[Any], Any]) -> Drawn:
    """Return a function that draws edits of cells.

    Parameters
    ----------
    new : cell -> its new value; `ABSENT` for a cell that such an edit does not fit.
    """

    def drawn(file: str, table: DataTable, draw: random.Random) -> Iterator[TableEdit]:
        fitting: dict[int, list[int]] = {}
        for number, row in enumerate(table.rows, start=1):
            if columns := [c for c, cell in enumerate(row) if cell is not ABSENT and new(cell) is not ABSENT]:
                fitting[number] = columns
        chosen = draw.sample(sorted(fitting), min(len(fitting), MOST, max(1, len(fitting) // 10)))
        for number in sorted(chosen):
            column = draw.choice(fitting[number])
            old, value = table.rows[number - 1][column], new(table.rows[number - 1][column])
            name = table.columns[column] if column < len(table.columns) else f"column {column + 1}"
            text = f"row {number}: {name} {_shown(old)} became {_shown(value)}"
            yield TableEdit(file, EditKind.SET, number, column, value, text)

    return drawn


def _shown(cell: Any) -> str:
    return "empty" if cell in ("", None) else str(cell)[:40]


def _emptied(cell: Any) -> Any:
    if cell in ("", None):
        return ABSENT
    return "" if isinstance(cell, str) else None


def _number(cell: Any) -> int | float | None:
    """Return the number that a cell holds, also as text; None if it holds none."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return cell
    try:
        return int(cell)
    except (TypeError, ValueError):
        pass
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _as(cell: Any, number: int | float) -> Any:
    return str(number) if isinstance(cell, str) else number


def _scaled(cell: Any) -> Any:
    number = _number(cell)
    return ABSENT if not number else _as(cell, number * 100)


def _negated(cell: Any) -> Any:
    number = _number(cell)
    return ABSENT if not number else _as(cell, -number)


def _new_category(cell: Any) -> Any:
    return "unseen" if isinstance(cell, str) and cell and _number(cell) is None else ABSENT


KINDS: Mapping[str, Drawn] = {
    "doubled": _doubled,
    "emptied": _cells(_emptied),
    "negated": _cells(_negated),
    "scaled": _cells(_scaled),
    "dropped": _dropped,
    "category": _cells(_new_category),
    "shuffled": _shuffled,
    "one row": _one_row,
    "no row": _no_row,
}
"""Kind of edits -> how they are drawn."""


def other_values(value: object) -> Sequence[object]:
    """Return other values for a parameter, of the type of its default.

    Examples
    --------
    >>> other_values(10)
    [0, 1, -10, 11, 20, 5]
    >>> other_values(True), other_values("a"), other_values(["x", "y"])
    ([False], ['', 'ax', 'A'], [[], ['x'], ['y', 'x'], ['x', 'y', 'x', 'y']])
    """
    if isinstance(value, bool):
        others: list[object] = [not value]
    elif isinstance(value, int):
        others = [0, 1, -value, value + 1, value * 2, value // 2]
    elif isinstance(value, float):
        others = [0.0, -value, value + 1, value * 2, value / 2]
    elif isinstance(value, str):
        others = ["", f"{value}x", value.upper()]
    elif isinstance(value, list | tuple):
        others = [value[:0], value[:1], value[::-1], value * 2]
    elif isinstance(value, dict):
        others = [{k: v for k, v in value.items() if k != key} for key in value]
        others += [{**value, key: new} for key, old in value.items() for new in other_values(old)]
    else:  # None: its type says nothing of what it may be
        others = [1, "x", True]
    known = {json.dumps(value, default=str)}
    return [each for each in others if (text := json.dumps(each, default=str)) not in known and not known.add(text)]  # type: ignore[func-returns-value]
