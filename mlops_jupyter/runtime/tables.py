"""Tables of rows, as text for a terminal and as html for a notebook.

They are here and not among the surfaces, because a bundle's console and its drift reports print tables too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

LEFT = "text-align:left"
NARROW = f"{LEFT}; white-space:nowrap"


def aligned(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as lines of text with aligned columns.

    Examples
    --------
    >>> print(aligned([("step", "state"), ("load", "fresh"), ("evaluate", "stale")]))
    step      state
    load      fresh
    evaluate  stale
    """
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def html(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, wrapped: int = 3, longest: int = 0, tips: bool = False
) -> str:
    """Return an html table with a heading; all text is escaped.

    Parameters
    ----------
    wrapped : number of the first column whose cells may take several lines; those before hold names and states.
    longest : number of characters that a cell shows, 0 for all; the tooltip of a longer cell has its whole text.
    tips : whether the first item of each row is the row's tooltip rather than a cell.

    Examples
    --------
    >>> html(["model"], [["<b>"]]).partition("<tbody>")[2]
    "<tr><td style='text-align:left; white-space:nowrap'>&lt;b&gt;</td></tr></tbody></table>"
    """
    head = "".join(f"<th style='{NARROW}'>{escape(name)}</th>" for name in columns)
    body = "".join(_row(row, wrapped, longest, tips) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Return an html table of (name, text) pairs, one row for each name; all text is escaped."""
    rows = (f"<tr><th style='{LEFT}'>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts)
    return f"<table>{''.join(rows)}</table>"


def _row(row: Sequence[str], wrapped: int, longest: int, tips: bool) -> str:
    tip, cells = (f" title='{escape(row[0])}'", row[1:]) if tips else ("", row)
    return f"<tr{tip}>{''.join(_cells(cells, wrapped, longest))}</tr>"


def _cells(cells: Sequence[str], wrapped: int, longest: int) -> Iterator[str]:
    for place, text in enumerate(cells):
        style = NARROW if place < wrapped else LEFT
        if longest and len(text) > longest:
            yield f"<td style='{style}' title='{escape(text)}'>{escape(text[:longest])}…</td>"
        else:
            yield f"<td style='{style}'>{escape(text)}</td>"
