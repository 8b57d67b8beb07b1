"""A sample of numbers, whole or thinned: its values in order, its quantiles, its spread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

TAIL = 16
"""Of a thinned sample, so many values at each end stand for the last evenly spaced step: halves, quarters ... of it."""


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
    spread : the whole sample's spread, where it was thinned.
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
    """Return a sample of finite float64 numbers in any order. The array is sorted in place: pass a copy."""
    import numpy as np

    values.sort()
    ranks = np.arange(len(values) + 1)
    return Numbers(values, ranks[:-1], ranks[1:], len(values))


def spread(values: Floats) -> Spread:
    """Return the spread of an ascending sample, by a standard deviation that outliers do not blow up.

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
