"""What is said of each kind of column, and of bad input."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlops_jupyter.runtime.drift import DriftVerdict, IncomparableDataError, Kind, Profile, check, profile

N = 600
RNG = np.random.default_rng(7)
NORMAL, OTHER_NORMAL = RNG.normal(size=N), RNG.normal(size=N)
SMALL, OTHER_SMALL = RNG.integers(0, 5, N), RNG.integers(0, 5, N)
AB, OTHER_AB = RNG.choice(list("ab"), N), RNG.choice(list("ab"), N)
TRUE, OTHER_TRUE = RNG.random(N) < 0.3, RNG.random(N) < 0.3
DAYS = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, N), unit="D"))
DATES = [day.date() for day in DAYS]
SECONDS = pd.Series(pd.to_timedelta(RNG.integers(0, 90, N), unit="s"))
STABLE, DRIFTED, UNTESTED = DriftVerdict.STABLE, DriftVerdict.DRIFTED, DriftVerdict.UNTESTED


def arrow(values: Any, kind: Any) -> Any:
    return pd.arrays.ArrowExtensionArray(pa.array(list(values), type=kind))


@dataclass(frozen=True)
class Row:
    name: str
    before: Any
    after: Any
    kind: Kind
    verdict: DriftVerdict
    reason: str = ""


ROWS = [
    Row("same law", NORMAL, OTHER_NORMAL, Kind.NUMERIC, STABLE),
    Row("shifted", NORMAL, OTHER_NORMAL + 0.5, Kind.NUMERIC, DRIFTED),
    Row("wider", NORMAL, OTHER_NORMAL * 2, Kind.NUMERIC, DRIFTED),
    Row("integers, then floats", SMALL, OTHER_SMALL.astype(float), Kind.NUMERIC, STABLE),
    Row("float16, then float64", NORMAL.astype("float16"), OTHER_NORMAL, Kind.NUMERIC, STABLE),
    Row("unsigned, then signed", SMALL.astype("uint8"), OTHER_SMALL, Kind.NUMERIC, STABLE),
    Row("nullable integers", pd.array([None, *SMALL[1:]], dtype="Int64"), OTHER_SMALL, Kind.NUMERIC, STABLE),
    Row("Arrow floats", arrow(NORMAL, pa.float64()), OTHER_NORMAL, Kind.NUMERIC, STABLE),
    Row(
        "Arrow decimals",
        arrow([decimal.Decimal(f"{x:.2f}") for x in NORMAL], pa.decimal128(9, 2)),
        OTHER_NORMAL,
        Kind.NUMERIC,
        STABLE,
    ),
    Row("decimals", [decimal.Decimal(f"{x:.2f}") for x in NORMAL], OTHER_NORMAL, Kind.NUMERIC, STABLE),
    Row("objects that are numbers", pd.Series([*SMALL], dtype=object), OTHER_SMALL, Kind.NUMERIC, STABLE),
    Row("sparse", pd.arrays.SparseArray(SMALL * 1.0), OTHER_SMALL, Kind.NUMERIC, STABLE),
    Row("huge", NORMAL * 1e307, OTHER_NORMAL * 1e307, Kind.NUMERIC, STABLE),
    Row("constant", [5] * N, [5.0] * N, Kind.NUMERIC, STABLE),
    Row("another constant", [5] * N, [6] * N, Kind.NUMERIC, DRIFTED),
    Row("left its constant, a little", [5] * N, [5] * (N - 20) + [6] * 20, Kind.NUMERIC, STABLE),
    Row("numbers lost", NORMAL, np.where(TRUE, np.nan, OTHER_NORMAL), Kind.NUMERIC, DRIFTED),
    Row(
        "infinite",
        NORMAL,
        np.where(TRUE, np.inf, OTHER_NORMAL),
        Kind.NUMERIC,
        DRIFTED,
        "infinite values count as missing: 0 → ",
    ),
    Row("all lost", NORMAL, [np.nan] * N, Kind.NUMERIC, DRIFTED, "only 0 values in the current data"),
    Row("never there", [None] * N, [np.nan] * N, Kind.EMPTY, UNTESTED, "only 0 values in the reference"),
    Row("came into being", [None] * N, AB, Kind.CATEGORICAL, DRIFTED, "only 0 values in the reference"),
    Row("strings", AB, OTHER_AB, Kind.CATEGORICAL, STABLE),
    Row("another category", AB, np.where(TRUE, "c", OTHER_AB), Kind.CATEGORICAL, DRIFTED),
    Row(
        "Arrow strings, then objects",
        arrow(AB, pa.string()),
        pd.Series([*OTHER_AB], dtype=object),
        Kind.CATEGORICAL,
        STABLE,
    ),
    Row(
        "Arrow dictionary",
        pd.arrays.ArrowExtensionArray(pa.array([*AB]).dictionary_encode()),
        OTHER_AB,
        Kind.CATEGORICAL,
        STABLE,
    ),
    Row(
        "categories in another order",
        pd.Categorical(AB, ["a", "b", "z"]),
        pd.Categorical(OTHER_AB, ["b", "a"]),
        Kind.CATEGORICAL,
        STABLE,
    ),
    Row("categorical, then strings", pd.Categorical(AB), OTHER_AB, Kind.CATEGORICAL, STABLE),
    Row("categorical of numbers, then numbers", pd.Categorical(SMALL), OTHER_SMALL, Kind.CATEGORICAL, STABLE),
    Row("numbers, then categorical of numbers", SMALL, pd.Categorical(OTHER_SMALL), Kind.NUMERIC, STABLE),
    Row("mixed objects", [1, "a", 2.5, None] * (N // 4), [None, 1, "a", 2.5] * (N // 4), Kind.CATEGORICAL, STABLE),
    Row("intervals", pd.cut(NORMAL, [-9, 0, 9]), pd.cut(OTHER_NORMAL, [-9, 0, 9]), Kind.CATEGORICAL, STABLE),
    Row("booleans", TRUE, OTHER_TRUE, Kind.BOOLEAN, STABLE),
    Row("booleans turned", TRUE, ~OTHER_TRUE, Kind.BOOLEAN, DRIFTED),
    Row("nullable booleans", pd.array(TRUE, dtype="boolean"), OTHER_TRUE, Kind.BOOLEAN, STABLE),
    Row("Arrow booleans", arrow(TRUE, pa.bool_()), OTHER_TRUE, Kind.BOOLEAN, STABLE),
    Row("objects that are booleans", pd.Series([None, *TRUE[1:]], dtype=object), OTHER_TRUE, Kind.BOOLEAN, STABLE),
    Row("booleans, then 0 and 1", TRUE, OTHER_TRUE.astype(int), Kind.BOOLEAN, STABLE),
    Row("0 and 1, then booleans", TRUE.astype(int), OTHER_TRUE, Kind.NUMERIC, STABLE),
    Row("booleans, then their names", TRUE, np.where(OTHER_TRUE, "True", "False"), Kind.BOOLEAN, STABLE),
    Row("datetimes", DAYS, DAYS.sample(frac=1, random_state=0).to_numpy(), Kind.DATETIME, STABLE),
    Row("datetimes moved", DAYS, DAYS + pd.Timedelta(days=120), Kind.DATETIME, DRIFTED),
    Row("time has passed", DAYS, DAYS + pd.Timedelta(days=400), Kind.DATETIME, UNTESTED, "time has passed"),
    Row("time went back", DAYS, DAYS - pd.Timedelta(days=400), Kind.DATETIME, DRIFTED),
    Row("time zones", DAYS.dt.tz_localize("Europe/Paris"), DAYS, Kind.DATETIME, STABLE),
    Row("dates", DATES, DAYS, Kind.DATETIME, STABLE),
    Row("Arrow dates", arrow(DATES, pa.date32()), DAYS, Kind.DATETIME, STABLE),
    Row("datetimes, then ISO text", DAYS, DAYS.astype("str"), Kind.DATETIME, STABLE),
    Row("periods", DAYS.dt.to_period("M"), DAYS.dt.to_period("M"), Kind.DATETIME, STABLE),
    Row("before any nanosecond", [dt.datetime(1200, 1, 1)] * N, [dt.datetime(1200, 1, 1)] * N, Kind.DATETIME, STABLE),
    Row("durations", SECONDS, SECONDS * 3, Kind.NUMERIC, DRIFTED),
    Row("Arrow durations", arrow(pd.Index(SECONDS).to_pytimedelta(), pa.duration("us")), SECONDS, Kind.NUMERIC, STABLE),
    Row("text", [f"note {i:04}" for i in range(N)], [f"word {i:04}" for i in range(N)], Kind.TEXT, STABLE),
    Row(
        "text grew",
        [f"note {i:04}" for i in range(N)],
        ["long " * (i % 40) + str(i) for i in range(N)],
        Kind.TEXT,
        DRIFTED,
    ),
    Row("lists", [[1]] * N, [[2]] * N, Kind.OTHER, UNTESTED, "cannot be compared"),
    Row("Arrow lists", arrow([[1]] * N, pa.list_(pa.int64())), [[2]] * N, Kind.OTHER, UNTESTED, "cannot be compared"),
    Row("complex", NORMAL * 1j, NORMAL * 1j, Kind.OTHER, UNTESTED, "cannot be compared"),
    Row("customer_id", np.arange(N), np.arange(N) + N, Kind.NUMERIC, UNTESTED, "it names rows"),
    Row("Unnamed: 0", np.arange(N), np.arange(N) * 2, Kind.NUMERIC, UNTESTED, "it names rows"),
    Row("paid", np.arange(N), np.arange(N) + N, Kind.NUMERIC, DRIFTED),
    Row("plan_id", SMALL, OTHER_SMALL, Kind.NUMERIC, STABLE),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("kept", [False, True], ids=["frame", "profile"])
@pytest.mark.filterwarnings("error")
def test_columns(row: Row, kept: bool) -> None:
    before: Any = pd.DataFrame({row.name: row.before})
    if kept:
        before = Profile.from_json(profile(before).to_json())
    report = check(before, pd.DataFrame({row.name: row.after}))
    column = report[row.name]
    assert (column.kind, column.verdict) == (row.kind, row.verdict)
    assert row.reason in column.reason
    assert bool(row.reason) == bool(column.reason)
    json.dumps(report.as_dict(), allow_nan=False)
    assert pickle.loads(pickle.dumps(report)) == report
    assert len(str(report).splitlines()) >= 4


FRAME = pd.DataFrame({"x": NORMAL, "y": AB})
BAD: list[tuple[str, Callable[[], object], str]] = [
    ("no column", lambda: check(FRAME, FRAME[["x"]]), "the current data lacks the column 'y': it has 'x'"),
    (
        "a wrong name",
        lambda: check(FRAME, FRAME.copy(), columns=["z"]),
        "the reference data lacks the column 'z': it has 'x', 'y'",
    ),
    ("no names", lambda: check(FRAME, FRAME.copy(), columns=[]), "no columns to compare: name at least one"),
    ("no rows", lambda: check(FRAME, FRAME.head(0)), "the current data has no rows: nothing to compare"),
    ("no rows before", lambda: check(FRAME.head(0), FRAME), "the reference data has no rows: nothing to compare"),
    ("a list", lambda: check([1], FRAME), "the reference data is a list, not a frame: give a pandas DataFrame"),
    ("a column", lambda: check(FRAME, FRAME.x), "the current data is a Series, not a frame: use .to_frame()"),
    ("one object", lambda: check(FRAME, FRAME), "reference and current are the same object: compare two samples"),
    (
        "a name twice",
        lambda: check(FRAME, pd.concat([FRAME, FRAME], axis=1)),
        "the current data has columns of the same name: 'x', 'y'; rename them",
    ),
    (
        "other kinds",
        lambda: check(FRAME, FRAME.assign(x="a")),
        "column 'x' is numeric in the reference and categorical in the current data: convert one, or leave it out",
    ),
    ("alpha", lambda: check(FRAME, FRAME.copy(), alpha=5), "alpha is 5: give a number between 0 and 1, such as 0.05"),
    (
        "share",
        lambda: check(FRAME, FRAME.copy(), share=-1),
        "share is -1: give a number from 0 (any column) to 1 (all columns)",
    ),
    (
        "threshold",
        lambda: check(FRAME, FRAME.copy(), threshold=0),
        "threshold is 0: give a number above 0, such as 0.1",
    ),
    (
        "correction",
        lambda: check(FRAME, FRAME.copy(), correction="holm"),
        "there is no correction 'holm': choose one of benjamini-hochberg, bonferroni, none",
    ),
]


@pytest.mark.parametrize(("act", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_input_is_one_clear_line(act: Callable[[], object], said: str) -> None:
    with pytest.raises(IncomparableDataError) as fault:
        act()
    assert str(fault.value) == said


def test_a_column_named_by_the_user_is_tested_all_the_same() -> None:
    before = pd.DataFrame({"customer_id": np.arange(N), "when": DAYS})
    after = pd.DataFrame({"customer_id": np.arange(N) + N, "when": DAYS + pd.Timedelta(days=400)})
    assert check(before, after).verdict is UNTESTED
    assert [c.verdict for c in check(before, after, columns=["customer_id", "when"]).columns] == [DRIFTED, DRIFTED]


def test_extra_columns_are_noted_and_order_is_the_references() -> None:
    report = check(FRAME, FRAME[["y", "x"]].assign(extra=1))
    assert [column.name for column in report.columns] == ["x", "y"]
    assert report.notes == ("only the current data has 'extra': not compared",)


def test_categories_that_came_and_went_are_named() -> None:
    column = check(FRAME, FRAME.assign(y=np.where(TRUE, "new", "a")))["y"]
    assert (column.new, column.vanished) == (("new",), ("b",))
    assert column.shift.startswith("'b' ")
    assert column.shift.endswith(" → 0.0%")


def test_the_whole_drifts_when_enough_columns_do() -> None:
    before = pd.DataFrame({f"c{i}": RNG.normal(size=N) for i in range(4)})
    after = before.sample(frac=1, random_state=1).assign(c0=before.c0 + 1)
    assert check(before, after).verdict is STABLE
    assert check(before, after).drifted_share == 0.25
    assert check(before, after, share=0.25).verdict is DRIFTED
    assert check(before, after, share=0).verdict is DRIFTED
    assert check(before, before.copy(), share=0).verdict is STABLE


def test_significant_but_tiny_is_no_drift_and_large_but_uncertain_neither() -> None:
    rng = np.random.default_rng(3)
    many = check(*(pd.DataFrame({"x": rng.normal(mean, 1, 300_000)}) for mean in (0, 0.03)))["x"]
    assert many.finding
    assert many.finding.significant
    assert many.verdict is STABLE
    few = check(*(pd.DataFrame({"x": rng.normal(mean, 1, 12)}) for mean in (0, 0.3)))["x"]
    assert few.finding
    assert few.finding.effect > few.finding.threshold
    assert few.verdict is STABLE


def test_what_is_missing_is_what_changed() -> None:
    column = check(FRAME, FRAME.assign(x=np.where(TRUE, np.nan, NORMAL)))["x"]
    assert column.finding is column.missing
    assert column.missing_after == pytest.approx(TRUE.mean())
    assert column.changed == f"missing 0.0% → {TRUE.mean():.1%}"


def test_other_frames_are_taken_that_turn_into_pandas() -> None:
    table = pa.Table.from_pandas(FRAME)
    assert check(table, FRAME).verdict is STABLE


def test_the_report_as_text_has_a_line_for_each_column() -> None:
    text = str(check(FRAME, FRAME.assign(x=OTHER_NORMAL + 2)))
    assert text.startswith("drifted: 1 of 2 tested columns drifted (50%, limit 50%); 600 rows before, 600 after")
    assert [line.split()[:3] for line in text.splitlines()[3:5]] == [
        ["x", "numeric", "drifted"],
        ["y", "categorical", "stable"],
    ]
