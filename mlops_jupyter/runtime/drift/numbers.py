"""Two samples of numbers: are they alike (Kolmogorov-Smirnov), and if not, how far apart (Wasserstein)?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

EXACT_ROWS = 1000
"""Up to so many rows on both sides together, the p-value is counted out; beyond, Smirnov's limit is used."""

COUNTED = 1e-10
"""The least p-value that counting out gives: below it, the digits are those of rounding."""

GRID = 65_536
"""Beyond so many rows, samples of unequal size are compared at so many evenly spaced quantiles."""

REACH = 10.0
"""A value counts as at most so many scales outside the reference's central 98 %: one wild value is not drift."""

TAIL = 16
"""Of a thinned sample, so many values at each end stand for the last evenly spaced step: halves, quarters ... of it."""

STRIDE = 128
"""Rows between the points where the two distributions are compared first; only where it matters also between them."""


@dataclass(frozen=True)
class Spread:
    """How wide a sample is: a scale that outliers do not blow up, and the 1st and 99th percentile."""

    scale: float
    low: float
    high: float


@dataclass(frozen=True)
class Numbers:
    """A sample of finite numbers, whole, or thinned to some of its values with their exact ranks.

    Attributes
    ----------
    values : ascending float64.
    below, upto : for each value, how many of the sample are less than it, and at most it.
    size : how many numbers the sample has.
    spread : that of the whole sample, where it was thinned.
    """

    values: Floats
    below: Floats
    upto: Floats
    size: int
    spread: Spread | None = None

    def at(self, levels: Floats) -> Floats:
        """Return the values at quantile levels (0 to 1); between kept values, on the straight line."""
        import numpy as np

        if len(self.values) == self.size:  # the whole sample: its own steps, no line between
            ranks = np.ceil(levels * self.size).astype(np.int64) - 1
            return np.asarray(self.values[np.clip(ranks, 0, self.size - 1)])
        ranks = np.stack([self.below, self.upto], axis=1).ravel()
        return np.asarray(np.interp(levels * self.size, ranks, np.repeat(self.values, 2)))

    def count_below(self, points: Floats) -> Floats:
        """Return how many of the sample lie below each point; between kept values, on the straight line."""
        import numpy as np

        if len(self.values) == self.size:
            return np.asarray(np.searchsorted(self.values, points, side="left"))
        ranks = np.stack([self.below, self.upto], axis=1).ravel()
        return np.asarray(np.interp(points, np.repeat(self.values, 2), ranks, left=0.0, right=float(self.size)))

    def thin(self, keep: int) -> Numbers:
        """Return the same sample with at most `keep` of its values, each with its exact counts.

        Most ranks are evenly spaced, some come ever closer to both ends, so that a long tail keeps its shape. A sample
        with no more than `keep` different values loses nothing.
        """
        import numpy as np

        kept = np.unique(self.values)
        if len(kept) > keep:
            last = self.size - 1
            even, tail = np.linspace(0, last, keep - 2 * TAIL), last / keep * 0.5 ** np.arange(TAIL)
            ranks = np.round(np.concatenate([even, tail, last - tail])).astype(np.int64)
            kept = np.unique(self.values[ranks])
        below = np.searchsorted(self.values, kept, side="left")
        upto = np.searchsorted(self.values, kept, side="right")
        return Numbers(kept, below, upto, self.size, self.spread or spread(self.values))


def numbers(values: Floats) -> Numbers:
    """Take a sample of finite float64 numbers in any order. The array is sorted in place: hand over a copy."""
    import numpy as np

    values.sort()
    ranks = np.arange(len(values) + 1)
    return Numbers(values, ranks[:-1], ranks[1:], len(values))


def spread(values: Floats) -> Spread:
    """Measure an ascending sample by a standard deviation that outliers do not blow up.

    The sample is winsorised at its 1st and 99th percentile first (0.96 of the standard deviation for a normal
    distribution). Where that leaves nothing (98 % are one value), the plain standard deviation; 0 for a constant.
    """
    import numpy as np

    n = len(values)
    low, high = float(values[int(0.01 * (n - 1))]), float(values[math.ceil(0.99 * (n - 1))])
    for first, last in ((low, high), (float(values[0]), float(values[-1]))):
        if first < last:
            unit = max(abs(first), abs(last))  # so that squares of huge numbers do not overflow
            return Spread(float(np.std(np.clip(values, first, last) / unit)) * unit, low, high)
    return Spread(0.0, low, high)


def kolmogorov_smirnov(reference: Numbers, current: Numbers) -> float:
    """Return the largest vertical distance between the two empirical distributions (Smirnov 1948), exactly.

    Of a thinned reference only the kept values are looked at: the distance may be too small, at most by one step.

    Examples
    --------
    >>> import numpy as np
    >>> kolmogorov_smirnov(numbers(np.array([1.0, 2.0])), numbers(np.array([2.0, 3.0])))
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
    """Share of the orders of n + m values whose distributions part by at least `distance`."""
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
    >>> sample = np.random.default_rng(0).normal(size=10_000)
    >>> round(wasserstein(numbers(sample.copy()), numbers(sample + 0.5)), 1)
    0.5
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
