"""Corrected p-values against scipy's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlops_jupyter.runtime.drift.correction import Correction, adjust

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(P_VALUES)
def test_benjamini_hochberg_is_scipys(p_values: list[float]) -> None:
    expected = stats.false_discovery_control(p_values)
    assert adjust(p_values, Correction.BENJAMINI_HOCHBERG) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@given(P_VALUES)
def test_bonferroni_is_the_strictest_and_none_the_least(p_values: list[float]) -> None:
    none, middle, strict = (
        adjust(p_values, c) for c in (Correction.NONE, Correction.BENJAMINI_HOCHBERG, Correction.BONFERRONI)
    )
    assert none == p_values
    assert all(a <= b * (1 + 1e-12) and b <= c * (1 + 1e-12) for a, b, c in zip(none, middle, strict, strict=True))


def test_nothing_to_correct() -> None:
    assert adjust([], Correction.BENJAMINI_HOCHBERG) == []
