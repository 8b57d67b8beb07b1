"""Test (Kolmogorov-Smirnov) and distance (Wasserstein) between two samples of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .numbers import Numbers, spread

if TYPE_CHECKING:
    from .numbers import Floats

EXACT_ROWS = 1000
"""Up to so many rows on both sides together, the p-value is counted exactly; beyond, Smirnov's limit is used."""

COUNTED = 1e-10
"""The least p-value that counting gives: below it, rounding errors decide the digits."""

GRID = 65_536
"""Beyond so many rows, samples of unequal size are compared at so many evenly spaced quantiles."""

REACH = 10.0
"""A value counts as at most so many scales outside the reference's central 98 %: one wild value is not drift."""

STRIDE = 128
"""Rows between the points where the two distributions are compared first; only where it matters also between them."""


def kolmogorov_smirnov(reference: Numbers, current: Numbers) -> float:
    """Return the largest vertical distance between the two empirical distributions (Smirnov 1948), exactly.

    Of a thinned reference only the kept values are looked at: the distance may be too small, at most by one step.

    Examples
    --------
    >>> import numpy as np
    >>> ranks = np.array([0, 1, 2])
    >>> before = Numbers(np.array([1.0, 2.0]), ranks[:-1], ranks[1:], 2)
    >>> kolmogorov_smirnov(before, Numbers(np.array([2.0, 3.0]), ranks[:-1], ranks[1:], 2))
    0.5
    """
    import numpy as np

    last = len(reference.values) - 1
    knots = np.unique(np.append(np.arange(0, last, STRIDE), last))
    best, above, under = _gaps(reference, current, knots)
    if len(knots) > last:
        return best
    # Between two knots neither distribution leaves the range it has at them: look only where that could beat `best`.
    f_upto, f_below = reference.upto[knots] / reference.size, reference.below[knots] / reference.size
    bound = np.maximum(f_upto[1:] - above[:-1], under[1:] - f_below[:-1])
    blocks = knots[:-1][bound > best]
    between = (blocks[:, None] + np.arange(1, STRIDE)).ravel()
    return max(best, _gaps(reference, current, between[between < last])[0])


def _gaps(reference: Numbers, current: Numbers, at: Floats) -> tuple[float, Floats, Floats]:
    """Return the largest distance at some of the reference's values; the current distribution at and before them."""
    import numpy as np

    points = reference.values[at]
    upto = np.searchsorted(current.values, points, side="right") / current.size
    below = np.searchsorted(current.values, points, side="left") / current.size
    higher = reference.upto[at] / reference.size - upto
    lower = below - reference.below[at] / reference.size
    return float(max(higher.max(initial=0.0), lower.max(initial=0.0))), upto, below


def kolmogorov_smirnov_p(distance: float, n: int, m: int) -> float:
    """Return the chance of a distance at least this large between samples of n and m from one continuous distribution.

    Small samples: the lattice paths that reach the distance are counted (Hodges 1958). Large ones: Smirnov's limit
    (1948). With ties both are too large, never too small: the test stays on the safe side.

    Examples
    --------
    >>> round(kolmogorov_smirnov_p(0.6, 10, 10), 4)
    0.0524
    """
    if distance <= 0:
        return 1.0
    if n + m <= EXACT_ROWS:
        return _paths_p(distance, min(n, m), max(n, m))
    from scipy.special import kolmogorov

    return float(kolmogorov(distance * math.sqrt(n / (n + m) * m)))


def _paths_p(distance: float, n: int, m: int) -> float:
    """Return the share of the orders of n + m values whose distributions part by at least `distance`."""
    import numpy as np

    reach = distance * n * m * (1 - 1e-12)  # |i·m - j·n| is a whole number; the distance was rounded on the way here
    rows = np.arange(n + 1, dtype=np.float64) * m
    first = np.maximum(0, np.floor((rows - reach) / n) + 1).astype(int).tolist()
    past = np.minimum(m + 1, np.ceil((rows + reach) / n)).astype(int).tolist()
    inside = np.zeros(m + 1)  # paths to each (i, j) that stayed within reach so far, for one i after the other
    inside[: past[0]] = 1.0
    for a, b in zip(first[1:], past[1:], strict=True):
        inside[:a] = 0.0
        np.cumsum(inside[a:b], out=inside[a:b])
    return max(COUNTED, 1.0 - float(inside[-1]) / math.comb(n + m, n))


def wasserstein(reference: Numbers, current: Numbers) -> float:
    """Return the Wasserstein-1 distance (Kantorovich 1942; Vallender 1974) in units of the reference's scale.

    Both samples are clipped to `REACH` scales around the reference's central 98 %. A pure shift by d standard
    deviations gives about d (Cohen 1988 calls 0.2 small). Infinite for a constant reference: it has no scale.

    Examples
    --------
    >>> import numpy as np
    >>> ranks = np.array([0, 1, 2])
    >>> before = Numbers(np.array([0.0, 2.0]), ranks[:-1], ranks[1:], 2)
    >>> wasserstein(before, Numbers(np.array([1.0, 3.0]), ranks[:-1], ranks[1:], 2))
    1.0
    """
    import numpy as np

    width = reference.spread or spread(reference.values)
    if width.scale == 0:
        return math.inf
    floor, roof = width.low - REACH * width.scale, width.high + REACH * width.scale
    before, after, widths = _paired(reference, current)
    before = np.clip(before, floor, roof) / width.scale
    after = np.clip(after, floor, roof) / width.scale
    return float(np.average(np.abs(before - after), weights=widths))


def _paired(reference: Numbers, current: Numbers) -> tuple[Floats, Floats, Floats | None]:
    """Return values of both samples at the same quantile levels, and the width of each level (None: all alike)."""
    import numpy as np

    n, m = reference.size, current.size
    whole = len(reference.values) == n and len(current.values) == m
    if whole and n == m:
        return reference.values, current.values, None
    if whole and n + m <= GRID:
        ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)  # in units of 1 / (n·m): no rounding
        return reference.values[(ends - 1) // m], current.values[(ends - 1) // n], np.diff(ends, prepend=0)
    levels = (np.arange(min(GRID, max(n, m))) + 0.5) / min(GRID, max(n, m))
    return reference.at(levels), current.at(levels), None
