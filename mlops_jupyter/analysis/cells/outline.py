"""The outline of a notebook: its code cells with the headings and the prose above them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")


@dataclass(frozen=True)
class CodeCell:
    """One code cell in the outline.

    Attributes
    ----------
    number : position among the code cells, from 1.
    id : the cell's id in the notebook; "" if it has none.
    source : the cell's text.
    tags : tags of the cell's metadata.
    section : position of the heading above the cell, from 1; 0 before the first heading.
    heading : text of that heading; "" before the first heading.
    prose : text of the markdown cells between the previous code cell and this one, without headings.
    """

    number: int
    id: str
    source: str
    tags: tuple[str, ...] = ()
    section: int = 0
    heading: str = ""
    prose: str = ""


def outline(notebook: Mapping[str, Any]) -> tuple[CodeCell, ...]:
    """Return the code cells of a notebook of format 4 (a parsed .ipynb)."""
    cells: list[CodeCell] = []
    section, heading, prose = 0, "", list[str]()
    for cell in notebook["cells"]:
        source = text_of(cell.get("source", ""))
        if cell.get("cell_type") == "markdown":
            for line, fenced in _lines(source):
                match = None if fenced else HEADING.match(line)
                if match:
                    section, heading, prose = section + 1, match.group(2), []
                else:
                    prose.append(line)
            prose.append("")
        elif cell.get("cell_type") == "code":
            tags = tuple(map(str, (cell.get("metadata") or {}).get("tags") or ()))
            number = len(cells) + 1
            cells.append(
                CodeCell(number, str(cell.get("id", "")), source, tags, section, heading, "\n".join(prose).strip())
            )
            prose = []
    return tuple(cells)


def text_of(source: str | Sequence[str]) -> str:
    """Return a cell's source as one string; the notebook format allows a string or a list of lines."""
    return source if isinstance(source, str) else "".join(source)


def _lines(source: str) -> Iterator[tuple[str, bool]]:
    """Yield each line of markdown with whether it belongs to fenced code, in which `# x` is no heading."""
    fenced = False
    for line in source.splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        yield line, fenced or fence
        fenced ^= fence


def match(cells: Sequence[CodeCell], executions: Sequence[tuple[str, str]]) -> list[CodeCell | None]:
    """Return for each execution, given as (cell id, source), the code cell that was executed.

    Cells are matched by their id where the front end sent one, else by source text, equal cells in their order. The
    result is None for a cell that was edited or deleted since.
    """
    by_id = {cell.id: cell for cell in cells if cell.id}
    by_source: dict[str, list[CodeCell]] = {}
    for cell in cells:
        by_source.setdefault(cell.source.strip(), []).append(cell)
    matches: list[CodeCell | None] = []
    for cell_id, source in executions:
        same = by_source.get(source.strip(), [])
        if cell_id in by_id:
            matches.append(by_id[cell_id])
        else:
            matches.append(same[0] if same else None)
            if len(same) > 1:
                same.append(same.pop(0))
    return matches
