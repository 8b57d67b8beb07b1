"""A notebook as its author laid it out: code cells with the headings and the prose above them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")


@dataclass(frozen=True)
class CodeCell:
    """One code cell in its place.

    Attributes
    ----------
    number : position among the code cells, from 1.
    section : position of the heading it stands under; 0 before the first one.
    heading : that heading's text, "" before the first one.
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
    """Read the code cells of a notebook of format 4 (a parsed .ipynb)."""
    found: list[CodeCell] = []
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
            number = len(found) + 1
            found.append(
                CodeCell(number, str(cell.get("id", "")), source, tags, section, heading, "\n".join(prose).strip())
            )
            prose = []
    return tuple(found)


def text_of(source: str | Sequence[str]) -> str:
    """Join a cell's source, which the format allows to be one string or a list of lines."""
    return source if isinstance(source, str) else "".join(source)


def _lines(source: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of markdown, each with whether it is fenced code, in which `# x` is no heading."""
    fenced = False
    for line in source.splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        yield line, fenced or fence
        fenced ^= fence


def match(cells: Sequence[CodeCell], executions: Sequence[tuple[str, str]]) -> list[CodeCell | None]:
    """Find for each execution, given as (cell id, source), the cell that it was of.

    By the front end's id where it sends one; else by source text, taking equal cells in their order; None for a cell
    that was edited or deleted since.
    """
    by_id = {cell.id: cell for cell in cells if cell.id}
    by_source: dict[str, list[CodeCell]] = {}
    for cell in cells:
        by_source.setdefault(cell.source.strip(), []).append(cell)
    found: list[CodeCell | None] = []
    for key, source in executions:
        same = by_source.get(source.strip(), [])
        if key in by_id:
            found.append(by_id[key])
        else:
            found.append(same[0] if same else None)
            if len(same) > 1:
                same.append(same.pop(0))
    return found
