"""The text of a cell as a notebook holds it: our own header lines, magics, shell lines, and the Python between them.

Standard library only. The rules are IPython's (its documentation, "Custom input transformation"): a cell magic is the
first line that is not blank; a line magic, a shell line or a help request (`df?`) stands at the start of a logical
line, or right of its first `=`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops_jupyter.analysis.cells.magics import to_python
from mlops_jupyter.analysis.cells.segments import Segment, SegmentKind, segments

__all__ = ["OURS", "HeaderLine", "Segment", "SegmentKind", "segments", "split_headers", "to_python"]

OURS = ("pipeline", "track", "private")
"""Our own cell magics, which apply to the whole cell."""

_HEADER = re.compile(rf"[ \t]*%%({'|'.join(OURS)})(?:[ \t]+([^\r\n]*))?[ \t]*(?:\r\n|\r|\n|\Z)")
_BLANK = re.compile(r"(?:[ \t\f]*(?:\r\n|\r|\n))*")


@dataclass(frozen=True)
class HeaderLine:
    """One of our own cell-magic lines at the top of a cell.

    Attributes
    ----------
    name : "pipeline" or "track".
    line : text after the name: "load --params n=1".
    number : 1-based line of the cell.
    """

    name: str
    line: str
    number: int


def split_headers(raw: str) -> tuple[tuple[HeaderLine, ...], str]:
    """Split our own `%%` lines off the top of a cell; return them, outermost first, and the rest unchanged.

    Only lines at the top count: after another cell magic they belong to that magic's text.

    Examples
    --------
    >>> headers, body = split_headers("%%track\\n%%pipeline load --params n=1\\nn = 1\\n")
    >>> [(h.name, h.line, h.number) for h in headers], body
    ([('track', '', 1), ('pipeline', 'load --params n=1', 2)], 'n = 1\\n')
    """
    if "%%" not in raw:
        return (), raw
    headers: list[HeaderLine] = []
    position = 0
    while True:
        blank = _BLANK.match(raw, position)
        start = blank.end() if blank else position
        header = _HEADER.match(raw, start)
        if not header:
            return tuple(headers), raw[position:]
        number = len(re.findall(r"\r\n|\r|\n", raw[:start])) + 1
        headers.append(HeaderLine(header[1], (header[2] or "").strip(), number))
        position = header.end()
