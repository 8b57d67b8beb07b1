"""One row of the table: cells, and exactly the modules that a plan makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Row:
    """One notebook in a terminal, in which no cell has an id.

    Attributes
    ----------
    shows : what a reader learns from it, in a plain sentence.
    cells : the cells; `%%pipeline NAME` says which step a cell belongs to.
    modules : step -> the text of its module, in the order of the steps; `definitions` is what they share.
    order : positions of the cells as they ran, if not from top to bottom.
    files : path -> text of the files that are there before the first cell.
    """

    name: str
    shows: str
    cells: tuple[str, ...]
    modules: Mapping[str, str]
    order: tuple[int, ...] | None
    files: Mapping[str, str]


def row(
    name: str,
    shows: str,
    cells: str,
    /,
    *,
    order: tuple[int, ...] | None = None,
    files: Mapping[str, str] | None = None,
    **modules: str,
) -> Row:
    """Return a row whose texts are written with the indentation of the table; a line `# %%` parts two cells."""
    texts = {step: dedent(text).removeprefix("\n") for step, text in modules.items()}
    parted = dedent(cells).strip("\n").split("\n# %%\n")
    return Row(name, shows, tuple(parted), texts, order, files or {})
