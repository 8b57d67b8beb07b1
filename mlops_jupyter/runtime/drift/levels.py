"""Tests (chi-square, Fisher) and distance (Jensen-Shannon) between two samples of categories."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[Any]

LEAST_EXPECTED = 5.0
"""Chi-square's limit is trusted from so many expected rows a cell on (Cochran 1954); rarer categories are pooled."""

NAMED = 10
"""The most new, and the most vanished, categories that are named."""


@dataclass(frozen=True)
class Levels:
    """A sample of categories: how many rows each has.

    Attributes
    ----------
    counts : category -> rows.
    rest : rows of categories that are not kept one by one (of a profile with very many).
    """

    counts: Mapping[str, int]
    rest: int = 0

    @property
    def size(self) -> int:
        """The number of rows in the sample."""
        return sum(self.counts.values()) + self.rest

    def thin(self, keep: int) -> Levels:
        """Return the same sample with only its `keep` most frequent categories named."""
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return Levels(dict(ranked[:keep]), self.rest + sum(count for _, count in ranked[keep:]))


def tabulate(reference: Levels, current: Levels) -> tuple[list[str], Counts, Counts, int, int]:
    """Return (labels, rows before, rows after, rest before, rest after), the labels most frequent in all first.

    Where the reference has a rest, categories that it does not name are taken as part of that rest.
    """
    import numpy as np

    labels = dict.fromkeys(reference.counts)
    if not reference.rest:
        labels |= dict.fromkeys(current.counts)
    total = {label: reference.counts.get(label, 0) + current.counts.get(label, 0) for label in labels}
    ordered = sorted(total, key=lambda label: (-total[label], label))
    before = np.array([reference.counts.get(label, 0) for label in ordered], dtype=np.float64)
    after = np.array([current.counts.get(label, 0) for label in ordered], dtype=np.float64)
    return ordered, before, after, reference.rest, current.size - int(after.sum())


def pooled(reference: Levels, current: Levels) -> tuple[Counts, Counts]:
    """Return rows before and after for each category that has enough rows, the others summed in one last cell.

    Which categories are pooled depends on both samples together, so that it favours neither; at least one stays by
    itself.
    """
    import numpy as np

    _, before, after, rest_before, rest_after = tabulate(reference, current)
    n, m = reference.size, current.size
    expected = (before + after) * min(n, m) / (n + m)
    keep = max(1, int((expected >= LEAST_EXPECTED).sum()))  # they are ordered by their total
    if len(expected) <= 2 and not rest_before + rest_after:
        keep = len(expected)
    others = before[keep:].sum() + rest_before, after[keep:].sum() + rest_after
    before, after = np.append(before[:keep], others[0]), np.append(after[:keep], others[1])
    if 0 < sum(others) * min(n, m) / (n + m) < LEAST_EXPECTED and keep >= 2:  # too rare even together
        before = np.append(before[: keep - 1], before[keep - 1 :].sum())
        after = np.append(after[: keep - 1], after[keep - 1 :].sum())
    occupied = (before + after) > 0
    return before[occupied], after[occupied]


def homogeneity(before: Counts, after: Counts) -> tuple[str, float, float]:
    """Test whether two rows of counts come from one distribution; return (test, statistic, p-value).

    Pearson's chi-square (1900); with two categories of which one is rare, Fisher's exact test (1922).

    Examples
    --------
    >>> import numpy as np
    >>> homogeneity(np.array([90.0, 10.0]), np.array([70.0, 30.0]))[0]
    'chi-square'
    """
    import numpy as np
    from scipy.special import chdtrc

    if len(before) < 2:
        return "chi-square", 0.0, 1.0
    n, m = before.sum(), after.sum()
    both = before + after
    expected = np.stack([both * n, both * m]) / (n + m)
    statistic = float((((np.stack([before, after]) - expected) ** 2) / expected).sum())
    if len(before) == 2 and expected.min() < LEAST_EXPECTED:
        return "Fisher exact", statistic, fisher_p(int(before[0]), int(before[1]), int(after[0]), int(after[1]))
    return "chi-square", statistic, float(chdtrc(len(before) - 1, statistic))


def fisher_p(a: int, b: int, c: int, d: int) -> float:
    """Return the two-sided p-value of the table [[a, b], [c, d]]: the sum over all tables that are no more likely.

    Examples
    --------
    >>> round(fisher_p(8, 2, 1, 5), 4)
    0.035
    """
    import numpy as np
    from scipy.special import gammaln

    row, column, total = a + b, a + c, a + b + c + d
    cells = np.arange(max(0, row + column - total), min(row, column) + 1, dtype=np.float64)
    fixed = (cells, row - cells, column - cells, total - row - column + cells)
    logs = -np.sum([gammaln(cell + 1) for cell in fixed], axis=0)
    chances = np.exp(logs - logs.max())
    seen = chances[a - int(cells[0])]
    return float(min(1.0, chances[chances <= seen * (1 + 1e-7)].sum() / chances.sum()))


def jensen_shannon(before: Counts, after: Counts) -> float:
    """Return the Jensen-Shannon distance (Lin 1991; Endres & Schindelin 2003), 0 to 1, less what sampling alone gives.

    The square root of the divergence in bits. Two samples of one distribution with k categories diverge by about
    (k - 1)(1/n + 1/m) / (8 ln 2) bits (the chi-square expansion of the divergence): that much is taken off first, or
    every column with many categories would look changed.

    Examples
    --------
    >>> import numpy as np
    >>> round(jensen_shannon(np.array([5e6, 5e6]), np.array([6e6, 4e6])), 3)
    0.085
    >>> round(jensen_shannon(np.array([1e6, 0.0]), np.array([0.0, 1e6])), 3)
    1.0
    """
    import numpy as np
    from scipy.special import rel_entr

    n, m = before.sum(), after.sum()
    p, q = before / n, after / m
    middle = (p + q) / 2
    bits = float((rel_entr(p, middle) + rel_entr(q, middle)).sum()) / (2 * math.log(2))
    chance = (np.count_nonzero(middle) - 1) * (1 / n + 1 / m) / (8 * math.log(2))
    return math.sqrt(max(0.0, bits - float(chance)))


def appeared(reference: Levels, current: Levels) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (new categories, categories that vanished though rows of them were to be expected)."""
    share = current.size / reference.size
    new = {k: v for k, v in current.counts.items() if k not in reference.counts} if not reference.rest else {}
    gone = {k: v for k, v in reference.counts.items() if k not in current.counts and v * share >= LEAST_EXPECTED}
    return _top(new), _top(gone)


def _top(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(counts, key=lambda label: (-counts[label], label))[:NAMED])
