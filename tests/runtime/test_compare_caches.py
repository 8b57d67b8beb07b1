"""What a comparison makes of caches, addresses and numpy's shared generator: what an object means is compared."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pytest
import scipy.stats
from sklearn.linear_model import LinearRegression

from mlops_jupyter.runtime.codecs.models import load_joblib, load_pickle, save_joblib, save_pickle
from mlops_jupyter.runtime.verify.compare import ComparisonStatus, compare


class Fit:
    def __init__(self, coef: float = 1.0, **state: Any) -> None:
        self.coef_ = coef
        self.__dict__.update(state)

    @cached_property
    def score(self) -> float:
        return self.coef_ * 2

    @property
    def plain(self) -> int:
        return 1


def asked(fit: Fit) -> Fit:
    _ = fit.score
    return fit


A, B = 0x7F5842EBF540, 0x55D1C0DE0010

# expected, actual, status, words of the reason
ROWS: dict[str, tuple[Any, Any, str, str]] = {
    "a cached property, expected": (asked(Fit()), Fit(), "close", "identical, but for caches that it holds (score)"),
    "a cached property, actual": (Fit(), asked(Fit()), "close", "identical, but for caches that it holds (score)"),
    "and another value": (asked(Fit(1.0)), Fit(2.0), "differs", ".coef_: 1 became 2"),
    "cached on both sides, other values": (Fit(score=1.0), Fit(score=3.0), "differs", ".score: 1 became 3"),
    "a cache on one side": (Fit(_cache={"a": 1}), Fit(), "close", "caches that it holds (_cache)"),
    "a cache of attributes": (Fit(_cache={"score": 2.0}), Fit(_cache={}), "close", "caches that it holds (score)"),
    "a cache of something else": (Fit(_cache={"a": 1}), Fit(_cache={}), "differs", "key 'a' is missing"),
    "other values in a cache": (Fit(_cache={"a": 1}), Fit(_cache={"a": 2}), "differs", "1 became 2"),
    "an attribute on one side": (Fit(extra_=1), Fit(), "differs", ".extra_ is missing"),
    "close, and a cache": (asked(Fit(1.0)), Fit(1.0 + 1e-12), "close", "; but for caches that it holds (score)"),
    "an address": (Fit(_words_id=A), Fit(_words_id=B), "close", "caches that it holds (_words_id)"),
    "an address and a number": (Fit(_words_id=A), Fit(_words_id=3), "differs", "became 3"),
    "numbers": (Fit(_words_id=16), Fit(_words_id=32), "differs", "16 became 32"),
    "a public number": (Fit(user_id=A), Fit(user_id=B), "differs", "became"),
    "fitted and not": (LinearRegression().fit([[1.0], [2.0]], [1, 2]), LinearRegression(), "differs", "is missing"),
}


@pytest.mark.parametrize("name", ROWS)
def test_caches_do_not_count_and_values_do(name: str) -> None:
    expected, actual, status, words = ROWS[name]
    verdict = compare(expected, actual)
    assert verdict.status is ComparisonStatus(status), verdict
    assert words in verdict.reason


CODECS = {"joblib": (save_joblib, load_joblib), "pickle": (save_pickle, load_pickle)}


@pytest.mark.parametrize("name", CODECS)
def test_the_shared_generator_is_the_loading_processes_own(name: str) -> None:
    save, load = CODECS[name]
    value = {"normal": scipy.stats.norm(0, 1), "own": np.random.RandomState(3)}
    data = save(value)
    np.random.seed(4)
    loaded = load(data)
    assert compare(value, loaded).status is ComparisonStatus.IDENTICAL
    assert loaded["normal"].dist._random_state is np.random.mtrand._rand  # type: ignore[attr-defined]
    assert loaded["own"] is not np.random.mtrand._rand  # type: ignore[attr-defined]
