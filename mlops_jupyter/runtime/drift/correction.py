"""Correction for many tests: the chance of any false alarm, or the share of false ones, stays under alpha."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Correction(Enum):
    """How p-values are corrected for the number of tests in one check."""

    BENJAMINI_HOCHBERG = "benjamini-hochberg"  # of the columns called significant, at most alpha are false (1995)
    BONFERRONI = "bonferroni"  # the chance of even one false one is at most alpha; finds less
    NONE = "none"  # every test by itself: with 50 columns, 2 to 3 false ones at alpha 0.05


def adjust(p_values: Sequence[float], correction: Correction) -> list[float]:
    """Return the corrected p-values, in the same order; compare them with alpha.

    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289-300: p(i)·k/i, made monotone from the largest down. When
    nothing has drifted at all, the chance of any false alarm is at most alpha under it too.

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03], Correction.BENJAMINI_HOCHBERG)
    [0.03, 0.04, 0.04]
    """
    count = len(p_values)
    if correction is Correction.NONE:
        return list(p_values)
    if correction is Correction.BONFERRONI:
        return [min(1.0, p * count) for p in p_values]
    adjusted = [1.0] * count
    least = 1.0
    for rank, place in sorted(enumerate(sorted(range(count), key=lambda i: p_values[i]), start=1), reverse=True):
        least = min(least, p_values[place] * count / rank)
        adjusted[place] = least
    return adjusted
