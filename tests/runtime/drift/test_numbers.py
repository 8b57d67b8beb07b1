"""Kolmogorov-Smirnov and Wasserstein against scipy's own, in every size and with ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mlops_jupyter.runtime.drift.distances import COUNTED, REACH, kolmogorov_smirnov, kolmogorov_smirnov_p, wasserstein
from mlops_jupyter.runtime.drift.numbers import numbers, spread

SIZES = [(5, 5), (10, 7), (100, 40), (499, 501), (3000, 3000), (3000, 1999), (150_000, 90_000)]
FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False)
SAMPLES = arrays(np.float64, st.integers(3, 400), elements=FLOATS)


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("digits", [None, 1], ids=["continuous", "ties"])
def test_distance_is_scipys(n: int, m: int, digits: int | None) -> None:
    a, b = _pair(n, m, digits)
    expected = stats.ks_2samp(a, b, method="asymp").statistic
    assert kolmogorov_smirnov(numbers(a.copy()), numbers(b.copy())) == pytest.approx(expected, abs=1e-12)


@given(SAMPLES, SAMPLES)
def test_distance_is_scipys_for_any_sample(a: np.ndarray, b: np.ndarray) -> None:
    expected = stats.ks_2samp(a, b, method="asymp").statistic
    assert kolmogorov_smirnov(numbers(a.copy()), numbers(b.copy())) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_long_samples_are_searched_where_it_matters_only_and_lose_nothing(seed: int) -> None:
    """More rows than one stride: the largest gap may lie between the points that are looked at first."""
    rng = np.random.default_rng(seed)
    a, b = np.round(rng.gamma(2, size=5000), rng.integers(1, 6)), np.round(rng.gamma(2.05, size=4001), 3)
    assert kolmogorov_smirnov(numbers(a.copy()), numbers(b.copy())) == pytest.approx(
        stats.ks_2samp(a, b, method="asymp").statistic, abs=1e-12
    )


@pytest.mark.parametrize(("n", "m"), [(5, 5), (10, 10), (10, 7), (37, 90), (300, 299), (500, 500)])
def test_small_samples_have_the_exact_p_value(n: int, m: int) -> None:
    a, b = _pair(n, m, None)
    exact = stats.ks_2samp(a, b, method="exact")
    assert kolmogorov_smirnov_p(float(exact.statistic), n, m) == pytest.approx(exact.pvalue, rel=1e-9)


@pytest.mark.parametrize("distance", [0.01, 0.02, 0.05, 0.2])
def test_large_samples_have_smirnovs_limit(distance: float) -> None:
    n, m = 20_000, 30_000
    limit = stats.kstwobign.sf(distance * np.sqrt(n * m / (n + m)))
    assert kolmogorov_smirnov_p(distance, n, m) == pytest.approx(limit, rel=1e-9)


def test_the_two_ways_to_a_p_value_meet() -> None:
    counted, limit = kolmogorov_smirnov_p(0.09, 500, 500), kolmogorov_smirnov_p(0.09, 501, 501)
    assert counted == pytest.approx(limit, rel=0.1)
    assert kolmogorov_smirnov_p(0.9, 400, 400) == COUNTED


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_wasserstein_is_scipys_in_units_of_the_scale(n: int, m: int) -> None:
    a, b = _pair(n, m, None)
    width = spread(np.sort(a))
    low, high = width.low - REACH * width.scale, width.high + REACH * width.scale
    expected = stats.wasserstein_distance(np.clip(a, low, high), np.clip(b, low, high)) / width.scale
    assert wasserstein(numbers(a.copy()), numbers(b.copy())) == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_scale_is_a_standard_deviation_that_an_outlier_does_not_move() -> None:
    sample = np.sort(np.random.default_rng(0).normal(5, 2, 100_000))
    assert spread(sample).scale == pytest.approx(2, rel=0.05)
    sample[-1] = 1e12
    assert spread(sample).scale == pytest.approx(2, rel=0.05)


def test_one_wild_value_is_no_distance() -> None:
    sample = np.random.default_rng(0).normal(size=10_000)
    wild = sample.copy()
    wild[0] = 1e300
    assert wasserstein(numbers(sample.copy()), numbers(wild)) < 0.01


def test_a_part_sent_far_away_is_a_distance_however_small_its_share() -> None:
    """Three in a hundred in the wrong unit: the Kolmogorov-Smirnov distance is only 0.03."""
    sample = np.random.default_rng(0).normal(size=10_000)
    wrong = sample.copy()
    wrong[:300] *= 1e6
    assert kolmogorov_smirnov(numbers(sample.copy()), numbers(wrong.copy())) < 0.05
    assert wasserstein(numbers(sample.copy()), numbers(wrong)) > 0.2


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e9, 1e300])
def test_wasserstein_has_no_unit(scale: float) -> None:
    a, b = _pair(500, 400, None)
    assert wasserstein(numbers(a * scale), numbers(b * scale)) == pytest.approx(
        wasserstein(numbers(a.copy()), numbers(b.copy())), rel=1e-9
    )


@pytest.mark.parametrize("digits", [None, 0], ids=["continuous", "few values"])
def test_thinned_sample_is_close_to_the_whole(digits: int | None) -> None:
    a, b = _pair(20_000, 15_000, digits)
    whole, current = numbers(a.copy()), numbers(b.copy())
    thin = whole.thin(256)
    exact = kolmogorov_smirnov(whole, current)
    assert len(thin.values) <= 256
    assert exact - 1 / 256 - 1e-12 <= kolmogorov_smirnov(thin, current) <= exact + 1e-12
    assert wasserstein(thin, current) == pytest.approx(wasserstein(whole, current), abs=0.01)
    if digits == 0:
        assert kolmogorov_smirnov(thin, current) == exact


def _pair(n: int, m: int, digits: int | None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n * 7919 + m)
    a, b = rng.normal(size=n), rng.normal(0.15, 1.1, size=m)
    return (a, b) if digits is None else (np.round(a, digits), np.round(b, digits))
