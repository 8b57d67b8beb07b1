"""What may be logged: everything that we take, MLflow takes."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.runtime.run_data.metric_values import LONGEST_PARAMETER, NotLoggableError, check_key, number, text

NUMBERS = [
    (1, 1.0),
    (0.5, 0.5),
    (True, 1.0),
    (np.float32(0.5), 0.5),
    (np.int64(3), 3.0),
    (np.bool_(True), 1.0),
    (np.array(2.5), 2.5),
    (Decimal("0.25"), 0.25),
    (Fraction(1, 4), 0.25),
    (math.inf, math.inf),
    (-math.inf, -math.inf),
]


@pytest.mark.parametrize(("value", "expected"), NUMBERS, ids=repr)
def test_numbers(value: object, expected: float) -> None:
    assert number("k", value) == expected
    assert type(number("k", value)) is float


def test_nan_is_a_number() -> None:
    assert math.isnan(number("k", np.float64("nan")))


@pytest.mark.parametrize("value", ["0.5", b"1", None, [1], (1,), {}, 1j, np.array([1, 2]), object(), float, 10**400])
def test_no_numbers(value: object) -> None:
    with pytest.raises(NotLoggableError, match="metric 'val/auc' takes one number") as fault:
        number("val/auc", value)
    assert "\n" not in str(fault.value)


@given(st.text(max_size=12) | st.from_regex(r"[A-Za-z0-9_\-. :/]{0,300}", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_every_name_that_we_take_mlflow_takes(key: str) -> None:
    from mlflow.utils.validation import _validate_metric_name, _validate_param

    try:
        taken = check_key(key)
    except NotLoggableError as fault:
        assert "\n" not in str(fault)
    else:
        assert taken == key
        _validate_metric_name(key)
        _validate_param(key, "1")


def test_a_parameter_is_never_cut() -> None:
    assert text("k", "x" * LONGEST_PARAMETER) == "x" * LONGEST_PARAMETER
    with pytest.raises(NotLoggableError, match="parameter 'k' has 6001 characters"):
        text("k", "x" * (LONGEST_PARAMETER + 1))
