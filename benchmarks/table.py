"""The table of figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure of ours beside one peer's, in seconds.

    Attributes
    ----------
    budget : the most that ours may be, in seconds; None if it is only compared with the peer.
    """

    figure: str
    ours: float
    peer: str
    theirs: float
    budget: float | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as texts, a cell per column of `HEAD`."""
        ratio = f"{self.theirs / self.ours:.3g}" if self.ours > 0 else "-"
        met = "" if self.budget is None else f"{'<=' if self.ours <= self.budget else 'OVER'} {shown(self.budget)}"
        return self.figure, shown(self.ours), self.peer, shown(self.theirs), ratio, met


HEAD = ("figure", "ours", "peer", "theirs", "ratio", "budget")


def shown(seconds: float) -> str:
    """Return a duration with its unit, to three digits.

    Examples
    --------
    >>> shown(0.0000214), shown(0.15), shown(2.5)
    ('21.4 us', '150 ms', '2.5 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table with aligned columns."""
    lines = [HEAD, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    written = ["| " + " | ".join(text.ljust(w) for text, w in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([written[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *written[1:]])
