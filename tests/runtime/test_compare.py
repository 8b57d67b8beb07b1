"""Comparison: the verdict, and the words in which it is given."""

from __future__ import annotations

import copy
import datetime
import tempfile
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlops_jupyter.runtime.codecs.figures import picture
from mlops_jupyter.runtime.verify.compare import Comparison, ComparisonStatus, compare, shown

SAME, CLOSE, APART = ComparisonStatus.IDENTICAL, ComparisonStatus.CLOSE, ComparisonStatus.DIFFERS
NAN = float("nan")


class Thing:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"age": np.arange(100.0), "city": ["Paris", "Rome"] * 50} | columns)


def nudged(value: Any, share: float, places: Any) -> Any:
    found = value.copy()
    found[places] *= 1 + share
    return found


ARRAY = np.linspace(1, 2, 300).reshape(100, 3)
TABLE = frame()
OLDER = TABLE.assign(age=nudged(np.arange(100.0), 2e-9, [3, 5, 8]))


def loop() -> list[Any]:
    found: list[Any] = [1.0]
    found.append(found)
    return found


# expected, actual, status, words that the reason must hold (the whole reason where it is a list of one)
CASES: list[tuple[Any, Any, ComparisonStatus, str]] = [
    (1, 1, SAME, ""),
    ({"a": [1, 2]}, {"a": [1, 2]}, SAME, ""),
    (NAN, NAN, SAME, ""),
    (1, 2, APART, "1 became 2"),
    (0.81, 0.79, APART, "0.81 became 0.79"),
    (1.0, 1.0 + 1e-9, CLOSE, "at most 1e-09 relative"),
    (0.0, -0.0, CLOSE, "at most 0 relative"),
    (1.0, NAN, APART, "1 became nan"),
    (float("inf"), float("-inf"), APART, "inf became -inf"),
    (np.float64(0.5), 0.5, CLOSE, "float64 became float"),
    (1, True, APART, "int 1 became bool True"),
    ("a", "b", APART, "'a' became 'b'"),
    (None, 0, APART, "None became int 0"),
    ([1, 2], (1, 2), APART, "list became tuple"),
    ([1, 2], [1, 2, 3], APART, "length 2 became 3"),
    ({"scores": [0.9, 0.8, 0.81]}, {"scores": [0.9, 0.8, 0.79]}, APART, "['scores'][2]: 0.81 became 0.79"),
    ({"a": 1}, {"b": 1}, APART, "key 'a' is missing"),
    ({"a": 1}, {"a": 1, "b": 2}, APART, "key 'b' is new"),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, APART, "the order of its keys changed"),
    ({1, 2}, {1, 3}, APART, "element 2 is missing"),
    (ARRAY, ARRAY[:99], APART, "shape (100, 3) became (99, 3)"),
    (ARRAY, ARRAY.astype("f4"), APART, "dtype float64 became float32"),
    (ARRAY, nudged(ARRAY, 1e-8, (2, 1)), CLOSE, "1 of 300 values, at most 1e-08 relative"),
    (ARRAY, nudged(ARRAY, 0.5, (2, 1)), APART, "[2, 1]: 1.02341 became 1.53512 (1 of 300 values differ)"),
    (np.array([1, 2]), np.array([1, 3]), APART, "[1]: 2 became 3 (1 of 2 values differ)"),
    (np.array(["a"]), np.array(["b"]), APART, "'a' became 'b'"),
    (np.array(["NaT"], "M8[D]"), np.array(["2024-01-01"], "M8[D]"), APART, "became"),
    (np.array([[1], 2], object), np.array([[3], 2], object), APART, "[0][0]: 1 became 3"),
    (np.ma.masked_array([1, 2], [0, 1]), np.ma.masked_array([1, 2], [1, 0]), APART, ".mask[0]: False became True"),
    (TABLE, OLDER, CLOSE, "column 'age', 3 of 100 values, at most 2e-09 relative"),
    (TABLE, TABLE.iloc[:99], APART, "shape (100, 2) became (99, 2)"),
    (TABLE, TABLE.rename(columns={"age": "Age"}), APART, "columns[0]: 'age' became 'Age'"),
    (TABLE, TABLE.assign(age=TABLE.age.astype(int)), APART, "column 'age': dtype float64 became int64"),
    (TABLE, TABLE.replace({"city": {"Rome": "Roma"}}), APART, "column 'city'[1]: 'Rome' became 'Roma'"),
    (TABLE, TABLE.set_axis(range(1, 101)), APART, "index"),
    (TABLE, TABLE["age"], APART, "DataFrame became Series"),
    (TABLE["age"], OLDER["age"], CLOSE, "3 of 100 values"),
    (TABLE["age"], TABLE["age"].rename("x"), APART, "name: 'age' became 'x'"),
    (pd.Series([1, None], dtype="Int64"), pd.Series([1, 2], dtype="Int64"), APART, "[1]: NA became int 2"),
    (pd.Series([1, None], dtype="Float64"), pd.Series([1 + 1e-12, None], dtype="Float64"), CLOSE, "1 of 2"),
    (pd.Series(["a"], dtype="category"), pd.Series(["b"], dtype="category"), APART, "its categories changed"),
    (scipy.sparse.eye(3, format="csr"), 2 * scipy.sparse.eye(3, format="csr"), APART, ".data[0]: 1 became 2"),
    (scipy.sparse.eye(3, format="csr"), scipy.sparse.eye(3, format="csc"), APART, "became"),
    (pa.table({"a": [1]}), pa.table({"a": [2]}), APART, "column 'a'[0]: 1 became 2"),
    (Thing(a=1, b=[1.0]), Thing(a=1, b=[2.0]), APART, ".b[0]: 1 became 2"),
    (Thing(a=1), Thing(b=1), APART, "is"),
    (loop(), loop(), SAME, ""),
    (threading.Lock(), threading.Lock(), APART, "cannot be compared: it holds a lock"),
    ((x for x in "a"), (x for x in "a"), APART, "cannot be compared: it holds a generator"),
    (lambda x: x + 1, lambda x: x + 2, APART, "the code of function <lambda> changed"),
    (LogisticRegression(C=1.0), LogisticRegression(C=2.0), APART, ".C: 1 became 2"),
]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{n} {shown(CASES[n][0])[:30]}")
def test_verdict_and_words(number: int) -> None:
    expected, actual, status, words = CASES[number]
    found = compare(expected, actual)
    assert found.status is status, found.reason
    assert words in found.reason
    assert bool(found.reason) == (status is not SAME)


def test_a_nudged_copy_of_everything_is_close() -> None:
    value = {"m": make_pipeline(StandardScaler(), LogisticRegression()).fit(ARRAY, np.arange(100) % 2), "f": [TABLE]}
    other = copy.deepcopy(value)
    assert compare(value, other).status is SAME
    other["m"][1].coef_[0, 0] *= 1 + 1e-10
    found = compare(value, other)
    assert found.status is CLOSE
    assert found.reason.startswith("['m'].steps[1][1].coef_, 1 of 3 values, at most 1e-10 relative")
    other["m"][1].coef_[0, 0] += 1
    assert compare(value, other).reason.startswith("['m'].steps[1][1].coef_[0, 0]: ")


def test_forests_part_at_their_trees() -> None:
    labels = np.arange(100) % 2
    one = RandomForestClassifier(3, random_state=0).fit(ARRAY, labels)
    assert compare(one, RandomForestClassifier(3, random_state=0).fit(ARRAY, labels)).status is SAME
    assert (
        ".random_state: 0 became 1"
        in compare(RandomForestClassifier(random_state=0), RandomForestClassifier(random_state=1)).reason
    )
    other = copy.deepcopy(one)
    other.estimators_[2] = one.estimators_[0]
    assert ".estimators_[2]" in compare(one, other).reason


def test_timings_do_not_count() -> None:
    def searched() -> GridSearchCV:
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
        return search.fit(ARRAY, np.arange(100) % 2)

    one, two = searched(), searched()
    found = compare(one, two)
    assert found.status is CLOSE
    assert found.reason.startswith("equal but for timings (")
    assert compare(one, two, ignore=()).status is APART
    assert compare(pd.DataFrame(one.cv_results_), pd.DataFrame(two.cv_results_)).status is CLOSE
    scores = [cross_validate(LogisticRegression(), ARRAY, np.arange(100) % 2, cv=2) for _ in "ab"]
    assert compare(*scores).reason == "equal but for timings (fit_time, score_time)"
    assert (
        compare({("metrics", "test", "predict_time"): 0.1}, {("metrics", "test", "predict_time"): 0.2}).status is CLOSE
    )
    assert compare(*scores, ignore=("fit_*",)).reason.startswith("['score_time'][")
    two.cv_results_["mean_test_score"][0] = 0.1
    assert compare(one, two).status is APART


def test_figures_are_compared_as_pictures() -> None:
    def drawn(top: float) -> matplotlib.figure.Figure:
        figure = matplotlib.figure.Figure()
        figure.subplots().plot([1, top])
        return figure

    assert compare(drawn(2), drawn(2)).status is SAME
    assert compare(picture(drawn(2)), drawn(2)).status is SAME
    assert compare(drawn(2), drawn(3)).status is APART

    assert compare(picture(drawn(2)), drawn(2).axes[0]).status is SAME
    assert compare(drawn(3).subplots(2, 2), drawn(3).subplots(2, 2)).status is SAME

    def on_it(top: float) -> object:
        return np.array([{"axes": drawn(top).axes[0]}], dtype=object)

    assert compare(on_it(2), on_it(2)) == Comparison(ComparisonStatus.CLOSE, "its pictures are the same")
    assert compare(on_it(2), on_it(3)) == Comparison(APART, "[0]['axes']: it is drawn differently")


def test_what_is_new_in_every_process_is_let_pass() -> None:
    one, two = (tempfile.mkdtemp() for _ in "ab")
    aside = "['at']: equal but for a temporary path or an object's address"
    assert compare({"at": f"{one}/joblib"}, {"at": f"{two}/joblib"}) == Comparison(CLOSE, aside)
    assert compare({"at": f"{one}/joblib"}, {"at": f"{two}/other"}).status is APART
    assert compare({"at": "<f at 0x7f0011223344>"}, {"at": "<f at 0x7f0011223399>"}).status is CLOSE
    assert compare(hex(0x7F0011223344), hex(0x7F0011223399)).status is CLOSE
    assert compare("0x7f0011", "0x7f0012").status is APART
    now = datetime.datetime.now()
    earlier, old = now - datetime.timedelta(days=90), now - datetime.timedelta(days=9)
    assert compare(Thing(at=earlier), Thing(at=now)) == Comparison(
        CLOSE, ".at: equal but for the time at which it was made"
    )
    assert compare(Thing(at=earlier), Thing(at=old)).status is APART
    assert compare([earlier], [now]).reason == f"[0]: {earlier} became {now}"


BODIES = {
    "reads a value": ("(x, *more, k=2):\n    'Says.'\n    return [rng + y for y in x if y > k or rng]\n", CLOSE),
    "has a lambda that reads it": ("(x):\n    return sorted(x, key=lambda y: abs(y - rng))\n", CLOSE),
    "loops and tries": (
        "(x):\n    while x:\n        try:\n            x -= rng\n        except KeyError:\n            break\n",
        CLOSE,
    ),
    "reads nothing": ("(x):\n    return x\n", SAME),
    "calls an imported module": ("(x):\n    return math.sqrt(x)\n", SAME),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_function_is_the_same_where_its_step_defines_it(name: str) -> None:
    body, status = BODIES[name]

    def made(text: str, inside: bool) -> Any:
        space: dict[str, Any] = {"rng": 3}
        step = f"import math\ndef step(rng):\n{textwrap.indent(text, '    ')}    return f\nf = step(3)"
        exec(step if inside else text, space)
        space["f"].__qualname__ = "f"
        return space["f"]

    plain, inside = made(f"def f{body}", False), made(f"def f{body}", True)
    assert compare(plain, inside).status is status
    assert compare([plain], [inside]).status is status
    for other in (body.replace("x)", "x, z=1)"), body.replace("return", "return not").replace("-=", "+=")):
        assert compare(plain, made(f"def f{other}", True)).status is (status if other == body else APART)


@given(st.lists(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=30), st.data())
@settings(max_examples=100, deadline=None)
def test_tolerance_is_where_it_is_said_to_be(numbers: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(numbers) - 1))
    for share, status in ((1e-8, CLOSE), (1e-3, APART)):
        other = list(numbers)
        other[place] *= 1 + share
        for make in (list, np.array, pd.Series, lambda x: {"a": Thing(x=x)}):
            assert compare(make(numbers), make(other)).status is status
            assert compare(make(numbers), make(numbers)).status is SAME


class Hostile:
    def _no(self, *args: Any) -> Any:
        raise SystemExit("no")

    __eq__ = __hash__ = __repr__ = __str__ = __len__ = __iter__ = __bool__ = __getattribute__ = _no  # type: ignore


@pytest.mark.parametrize("make", [Hostile, lambda: [Hostile()], lambda: {"a": Thing(x=Hostile())}])
def test_nothing_raises(make: Callable[[], Any]) -> None:
    same, apart = compare(make(), make()).status, compare(make(), 1).status
    length = len(shown(make()))
    assert same is SAME  # they are read as they are stored
    assert apart is APART
    assert 0 < length <= 120


SHOWN: list[tuple[Any, str]] = [
    (None, "None"),
    (0.87312345, "0.873123"),
    (1e-300, "1e-300"),
    (10**400, "int of 1,329 bits"),
    ("text", "'text'"),
    (np.float64(0.5), "0.5"),
    (np.datetime64("2024-01-01"), "2024-01-01"),
    ([1, 2.5, "a"], "[1, 2.5, 'a']"),
    (list(range(1000)), "list of 1,000"),
    ((), "empty tuple"),
    ({"auc": 0.91, "rows": [1, 2]}, "{'auc': 0.91, 'rows': list of 2}"),
    (pd.DataFrame(np.zeros((1000, 12))), "DataFrame 1,000 x 12"),
    (pd.Series([1.0]), "Series of 1 float64"),
    (np.zeros((10, 2)), "array 10 x 2 of float64"),
    (np.array([1, 2]), "array [1, 2]"),
    (scipy.sparse.eye(3, format="csr"), "csr_matrix 3 x 3"),
    (RandomForestClassifier(n_estimators=200), "RandomForestClassifier(n_estimators=200)"),
    (make_pipeline(StandardScaler(), LogisticRegression()), "Pipeline(StandardScaler, LogisticRegression)"),
    (
        GridSearchCV(LogisticRegression(), {"C": [1, 2]}),
        "GridSearchCV(estimator=LogisticRegression, param_grid=dict of 1)",
    ),
    (LogisticRegression, "class LogisticRegression"),
    (copy.copy, "function copy"),
    (np, "module numpy"),
    (Thing(a=1), "Thing"),
    (pd.Timestamp("2024-01-01"), "2024-01-01 00:00:00"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN, ids=[text[:40] for _, text in SHOWN])
def test_shown(value: Any, text: str) -> None:
    assert shown(value) == text


LONG = {"text": "x" * 10**7, "list": ["y" * 500] * 3, "dict": {"k" * 300: 1}, "int": 10**10_000, "bytes": b"z" * 10**7}


@pytest.mark.parametrize("value", LONG.values(), ids=LONG)
def test_shown_is_short(value: Any) -> None:
    assert len(shown(value)) <= 120
