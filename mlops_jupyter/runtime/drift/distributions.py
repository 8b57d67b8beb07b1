"""The two distributions of a column in shared bins or bars, and the difference in words: all that a plot needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from .columns import Column
from .findings import Bars, Bins, Kind
from .levels import Levels, tabulate
from .numbers import Numbers

BINS = 30
BARS = 12
OTHER = "(other)"
WIDEST = 1e300
"""Numbers further apart have no common axis: its steps would overflow."""


def distributions(before: Column, after: Column) -> Bins | Bars | None:
    """Return the distributions of both sides, of a size that does not grow with the data; None where there are none."""
    if isinstance(before.sample, Numbers) and isinstance(after.sample, Numbers):
        return _bins(before.sample, after.sample, before.kind is Kind.DATETIME)
    if isinstance(before.sample, Levels) and isinstance(after.sample, Levels):
        return _bars(before.sample, after.sample)
    return None


def _bins(before: Numbers, after: Numbers, dates: bool) -> Bins | None:
    import numpy as np

    ends = np.array([before.at(np.array([0.005, 0.995])), after.at(np.array([0.005, 0.995]))])
    low, high = float(ends.min()), float(ends.max())
    if not high - low < WIDEST:
        return None
    kept = np.concatenate([side.values[:: max(1, len(side.values) // 1000)] for side in (before, after)])
    if high - low <= 2 * BINS and not np.mod(kept, 1).any():  # whole numbers: each bin holds as many of them
        width = max(1, round((high - low + 1) / BINS))
        edges = np.arange(low - 0.5, high + width, width)
    else:
        edges = np.linspace(low, high, BINS + 1) if low < high else np.array([low - 0.5, low + 0.5])
    if not (np.diff(edges) > 0).all():
        return None  # neighbouring floats: nothing lies between
    counts = [_counted(side, edges[1:-1]) for side in (before, after)]
    return Bins(tuple(edges.tolist()), counts[0], counts[1], dates)


def _counted(side: Numbers, inner: Any) -> tuple[int, ...]:
    """Count rows between inner edges, and beyond the first and the last of them."""
    import numpy as np

    below = np.concatenate([[0], np.round(side.count_below(inner)), [side.size]])
    return tuple(np.diff(below).astype(int).tolist())


def _bars(before: Levels, after: Levels) -> Bars:
    labels, left, right, rest_left, rest_right = tabulate(before, after)
    kept = BARS if len(labels) <= BARS else BARS - 1
    rest_left, rest_right = rest_left + int(left[kept:].sum()), rest_right + int(right[kept:].sum())
    shown, a, b = labels[:kept], [int(v) for v in left[:kept]], [int(v) for v in right[:kept]]
    if rest_left or rest_right:
        shown, a, b = [*shown, OTHER], [*a, rest_left], [*b, rest_right]
    return Bars(tuple(shown), tuple(a), tuple(b))


def shift(before: Column, after: Column) -> str:
    """Say in a few words how the typical value changed: the median, or the category whose share changed most."""
    if isinstance(before.sample, Levels) and isinstance(after.sample, Levels):
        return _share_moved(before.sample, after.sample, before.kind)
    if isinstance(before.sample, Numbers) and isinstance(after.sample, Numbers):
        import numpy as np

        left, right = (float(s.at(np.array([0.5]))[0]) for s in (before.sample, after.sample))
        words = "median length" if before.kind is Kind.TEXT else "median"
        return f"{words} {_shown(left, before.kind)} → {_shown(right, before.kind)}"
    return ""


def _share_moved(before: Levels, after: Levels, kind: Kind) -> str:
    labels, left, right, _, _ = tabulate(before, after)
    shares = [(left[i] / before.size, right[i] / after.size, label) for i, label in enumerate(labels)]
    if not shares:
        return ""
    a, b, label = max(shares, key=lambda row: (kind is Kind.BOOLEAN and row[2] == "True", abs(row[1] - row[0])))
    return f"{label[:30] if kind is Kind.BOOLEAN else repr(label[:30])} {a:.1%} → {b:.1%}"


def _shown(value: float, kind: Kind) -> str:
    if kind is Kind.DATETIME:
        try:
            return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value):%Y-%m-%d}"
        except OverflowError:
            return f"{value:.4g} s"
    value += 0.0  # no minus before a zero
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"
