"""Chi-square, Fisher and Jensen-Shannon against scipy's own; pooling; naming of what is new and gone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from mlops_jupyter.runtime.drift.levels import Levels, appeared, fisher_p, homogeneity, jensen_shannon, pooled

TABLES = [
    ([90, 10], [70, 30]),
    ([500, 300, 200], [450, 330, 220]),
    ([1000, 10], [100, 10]),
    ([40, 30, 20, 10], [400, 300, 210, 90]),
]


@pytest.mark.parametrize(("before", "after"), TABLES)
def test_chi_square_is_scipys(before: list[int], after: list[int]) -> None:
    expected = stats.chi2_contingency([before, after], correction=False)
    test, statistic, p = homogeneity(np.array(before, float), np.array(after, float))
    if (expected.expected_freq < 5).any():
        assert test == "Fisher exact"
    else:
        assert (test, statistic, p) == ("chi-square", pytest.approx(expected.statistic), pytest.approx(expected.pvalue))


@given(*[st.integers(0, 60)] * 4)
def test_fisher_is_scipys(a: int, b: int, c: int, d: int) -> None:
    assert fisher_p(a, b, c, d) == pytest.approx(stats.fisher_exact([[a, b], [c, d]]).pvalue, rel=1e-6)


@pytest.mark.parametrize(("before", "after"), TABLES)
def test_jensen_shannon_is_scipys_where_rows_are_many(before: list[int], after: list[int]) -> None:
    a, b = np.array(before) * 1e8, np.array(after) * 1e8
    assert jensen_shannon(a, b) == pytest.approx(distance.jensenshannon(a, b, base=2), abs=1e-5)


def test_many_categories_alone_are_no_distance() -> None:
    """1,000 categories of 10,000 rows: plain Jensen-Shannon says 0.19 for two samples of one distribution."""
    rng = np.random.default_rng(0)
    a, b = (np.bincount(rng.integers(0, 1000, 10_000), minlength=1000).astype(float) for _ in range(2))
    assert distance.jensenshannon(a, b, base=2) > 0.15
    assert jensen_shannon(a, b) < 0.05


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": 50, "b": 50}, {"a": 60, "b": 40}, ([50, 50], [60, 40]), id="all common"),
        pytest.param({"a": 6}, {"b": 6}, ([6, 0], [0, 6]), id="two are never pooled"),
        pytest.param({"a": 90, "b": 4, "c": 3}, {"a": 90, "c": 3, "d": 4}, ([90, 7], [90, 7]), id="rare ones together"),
        pytest.param(
            {"a": 50, "b": 40, "c": 1}, {"a": 50, "b": 40}, ([50, 41], [50, 40]), id="too rare: joins the least"
        ),
        pytest.param(dict.fromkeys("abcdef", 1), dict.fromkeys("uvwxyz", 1), ([1, 5], [0, 6]), id="all rare"),
    ],
)
def test_rare_categories_are_pooled(
    before: dict[str, int], after: dict[str, int], expected: tuple[list[int], list[int]]
) -> None:
    left, right = pooled(Levels(before), Levels(after))
    assert (left.tolist(), right.tolist()) == expected


@given(
    st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 50), min_size=1),
    st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 50), min_size=1),
    st.integers(1, 10),
)
def test_pooling_keeps_every_row(before: dict[str, int], after: dict[str, int], keep: int) -> None:
    for reference in (Levels(before), Levels(before).thin(keep)):
        left, right = pooled(reference, Levels(after))
        assert (left.sum(), right.sum()) == (sum(before.values()), sum(after.values()))
        assert 0 <= homogeneity(left, right)[2] <= 1
        assert 0 <= jensen_shannon(left, right) <= 1


def test_new_and_vanished_are_named_the_most_frequent_first() -> None:
    before, after = Levels({"a": 100, "b": 50, "rare": 1}), Levels({"a": 100, "x": 3, "y": 9})
    assert appeared(before, after) == (("y", "x"), ("b",))


def test_a_thinned_reference_names_nothing_new_that_it_may_have_had() -> None:
    assert appeared(Levels({"a": 90, "b": 10, "c": 1}).thin(1), Levels({"a": 90, "c": 11})) == ((), ())
