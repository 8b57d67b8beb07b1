"""The contract of every way to keep a value: what comes back has the same fingerprint, here and in another process."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import importlib.util
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlops_jupyter.runtime.codecs import load_exact, load_open, save_exact, save_open
from mlops_jupyter.runtime.codecs.json_values import plain
from mlops_jupyter.runtime.fingerprints.fingerprint import Unfingerprintable, fingerprint

NAN = float("nan")
ODD_NAN = struct.unpack("<d", b"\x01\0\0\0\0\0\xf8\xff")[0]
Point = collections.namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass(frozen=True)
class Config:
    depth: int
    names: tuple[str, ...]


class Node:
    def __init__(self, label: str) -> None:
        self.label = label
        self.children: list[Node] = []
        self.parent: Node | None = None


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = [1]


class Bag(dict[str, int]):
    pass


def tree() -> Node:
    root = Node("root")
    for name in "xy":
        child = Node(name)
        child.parent = root
        root.children.append(child)
    return root


def loop() -> list[Any]:
    found: list[Any] = [1]
    found.append(found)
    return found


def drawn_from(rng: Any) -> Any:
    rng.random()
    return rng


def frame() -> pd.DataFrame:
    return pd.DataFrame({"age": [31, 42, 53], "income": [1.5, NAN, -0.0], "city": ["Paris", "Köln", None]})


def fitted(estimator: Any) -> Any:
    features = np.arange(60.0).reshape(20, 3) % 7
    return estimator.fit(features, np.arange(20) % 2)


def structured() -> np.ndarray:
    return np.array([(1, 2.5), (3, NAN)], dtype=np.dtype([("n", "i1"), ("x", "f8")], align=True))


def columns_of_all_kinds() -> pd.DataFrame:
    times = pd.to_datetime(["2024-01-01 00:00", None, "2024-03-31 02:30"])
    return pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "real": pd.array([0.5, None, NAN], dtype="Float64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "text": pd.array(["a", None, "ü"], dtype="string"),
            "kind": pd.Categorical(["b", None, "a"], categories=["b", "a", "c"], ordered=True),
            "when": times,
            "zoned": times.tz_localize("UTC").tz_convert("Europe/Paris"),
            "gap": pd.to_timedelta(["1h", None, "3us"]),
        }
    )


# name -> (how to make it, the format in which it is delivered)
VALUES: dict[str, tuple[Callable[[], Any], str]] = {
    "none": (lambda: None, "json"),
    "true": (lambda: True, "json"),
    "zero": (lambda: 0, "json"),
    "huge int": (lambda: 2**200, "json"),
    "float": (lambda: 0.1, "json"),
    "minus zero": (lambda: -0.0, "json"),
    "nan": (lambda: NAN, "json"),
    "odd nan": (lambda: ODD_NAN, "json"),
    "infinity": (lambda: -math.inf, "json"),
    "text": (lambda: "naïve 😀 \x00 \u2028", "json"),
    "half of a surrogate pair": (lambda: "\ud800", "json"),
    "empty text": (lambda: "", "json"),
    "list": (lambda: [1, "a", None, [2.5, NAN]], "json"),
    "empty list": (lambda: [], "json"),
    "dict": (lambda: {"auc": 0.9, "by class": {"yes": [1, 2], "no": []}}, "json"),
    "empty dict": (lambda: {}, "json"),
    "numpy float": (lambda: np.float64(0.1), "json"),
    "numpy float32": (lambda: np.float32(0.1), "json"),
    "numpy int": (lambda: np.int8(-3), "json"),
    "numpy bool": (lambda: np.bool_(True), "json"),
    "dict of numpy numbers": (lambda: {"a": np.float64(1.5), "b": [np.int64(1)]}, "json"),
    "list of 100 numpy numbers": (lambda: [np.float64(n) for n in range(100)], "json"),
    "bytes": (lambda: b"\x00\xff", "joblib"),
    "bytearray": (lambda: bytearray(b"abc"), "joblib"),
    "complex": (lambda: complex(1, -0.0), "joblib"),
    "ellipsis": (lambda: ..., "joblib"),
    "tuple": (lambda: (1, (2, "a")), "joblib"),
    "set": (lambda: {f"name {n}" for n in range(50)}, "joblib"),
    "set of mixed things": (lambda: {1, "a", (2, 3), None, 2.5, frozenset({"x", "y", "z"})}, "joblib"),
    "dict with other keys": (lambda: {1: "a", (2, 3): "b"}, "joblib"),
    "range": (lambda: range(3, 9, 2), "joblib"),
    "date": (lambda: datetime.date(2024, 2, 29), "joblib"),
    "datetime": (lambda: datetime.datetime(2024, 2, 29, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")), "joblib"),
    "timedelta": (lambda: datetime.timedelta(days=-1, microseconds=3), "joblib"),
    "decimal": (lambda: decimal.Decimal("1.50"), "joblib"),
    "fraction": (lambda: fractions.Fraction(1, 3), "joblib"),
    "uuid": (lambda: uuid.UUID(int=7), "joblib"),
    "path": (lambda: pathlib.PurePosixPath("a/b.csv"), "joblib"),
    "pattern": (lambda: re.compile("a+", re.I), "joblib"),
    "namedtuple": (lambda: Point(1, [2]), "joblib"),
    "enum": (lambda: Colour.RED, "joblib"),
    "dataclass": (lambda: Config(3, ("a", "b")), "joblib"),
    "slots": (Slotted, "joblib"),
    "tree with cycles": (tree, "joblib"),
    "list in itself": (loop, "joblib"),
    "subclass of dict": (lambda: Bag(a=1), "joblib"),
    "counter": (lambda: collections.Counter("abracadabra"), "joblib"),
    "ordered dict": (lambda: collections.OrderedDict(b=1, a=2), "joblib"),
    "defaultdict": (lambda: collections.defaultdict(list, a=[1]), "joblib"),
    "deque": (lambda: collections.deque([1, 2], maxlen=5), "joblib"),
    "partial": (lambda: functools.partial(int, base=2), "joblib"),
    "exception": (lambda: ValueError("bad", 3), "joblib"),
    "random.Random": (lambda: drawn_from(random.Random(3)), "joblib"),
    "generator of numpy": (lambda: drawn_from(np.random.default_rng(3)), "joblib"),
    "random state of numpy": (lambda: np.random.RandomState(3), "joblib"),
    "array": (lambda: np.linspace(0, 1, 7), "npy"),
    "array of none": (lambda: np.empty((0, 3), dtype="f4"), "npy"),
    "array without axes": (lambda: np.array(3.5), "npy"),
    "array with nan": (lambda: np.array([1.0, NAN, ODD_NAN]), "npy"),
    "matrix by columns": (lambda: np.asfortranarray(np.arange(12.0).reshape(3, 4)), "npy"),
    "every other": (lambda: np.arange(20, dtype="u2")[::-2], "npy"),
    "complex array": (lambda: np.array([1 + 2j, complex(NAN, 1)]), "npy"),
    "big-endian array": (lambda: np.array([1.5, NAN], dtype=">f8"), "npy"),
    "booleans": (lambda: np.array([True, False]), "npy"),
    "texts": (lambda: np.array(["a", "ünï"]), "npy"),
    "times": (lambda: np.array(["2024-01-01", "NaT"], dtype="M8[ns]"), "npy"),
    "structured array": (structured, "npy"),
    "array of objects": (lambda: np.array([1, "a", None, [2]], dtype=object), "joblib"),
    "masked array": (lambda: np.ma.masked_array([1.0, 9.0, 3.0], [False, True, False]), "joblib"),
    "numpy time": (lambda: np.datetime64("2024-01-01"), "joblib"),
    "dtype": (lambda: np.dtype("<f4"), "joblib"),
    "sparse rows": (lambda: scipy.sparse.csr_matrix(np.eye(4)), "joblib"),
    "sparse coordinates": (lambda: scipy.sparse.coo_array(np.diag([1.0, 2.0])), "joblib"),
    "sparse keys": (lambda: scipy.sparse.dok_array(np.diag([1.0, 2.0])), "joblib"),
    "frame": (frame, "parquet"),
    "frame without rows": (lambda: frame().iloc[:0], "parquet"),
    "frame without columns": (lambda: pd.DataFrame(index=[1, 2]), "joblib"),
    "rows of a frame": (lambda: frame().iloc[1:], "parquet"),
    "frame of all kinds": (columns_of_all_kinds, "parquet"),
    "frame by dates": (lambda: frame().set_index(pd.date_range("2024-01-01", periods=3, name="day")), "parquet"),
    "frame by zoned times": (
        lambda: frame().set_index(pd.date_range("2024", periods=3, freq="h", tz="UTC")),
        "parquet",
    ),
    "frame by names": (lambda: frame().set_index("city"), "parquet"),
    "frame by two": (lambda: frame().fillna({"city": "x"}).set_index(["city", "age"]), "parquet"),
    "frame of lists": (lambda: pd.DataFrame({"a": [[1, 2], [3]]}), "joblib"),
    "frame with numbers as names": (lambda: pd.DataFrame(np.eye(2)), "joblib"),
    "frame with levels of names": (lambda: pd.DataFrame(np.eye(2), columns=[["a", "a"], ["x", "y"]]), "joblib"),
    "frame of mixed objects": (lambda: pd.DataFrame({"a": [1, "x", None]}), "joblib"),
    "frame with attributes": (lambda: _with_attrs(frame()), "parquet"),
    "crosstab": (lambda: pd.crosstab(pd.Series(list("aab"), name="r"), pd.Series(list("xyx"), name="c")), "parquet"),
    "series": (lambda: pd.Series([1.0, NAN], index=["a", "b"], name="score"), "parquet"),
    "series without a name": (lambda: pd.Series(["x", None]), "parquet"),
    "categories": (lambda: pd.Series(["a", "b", "a"], dtype="category"), "parquet"),
    "periods": (lambda: pd.Series(pd.period_range("2024-01", periods=3, freq="M")), "parquet"),
    "intervals": (lambda: pd.cut(pd.Series([1, 5, 9]), 3), "joblib"),
    "sparse series": (lambda: pd.Series(pd.arrays.SparseArray([0.0, 0.0, 1.0])), "joblib"),
    "index": (lambda: pd.Index(["a", "b"], name="key"), "joblib"),
    "multi-index": (lambda: pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", "n"]), "joblib"),
    "timestamp": (lambda: pd.Timestamp("2024-03-31 02:30", tz="UTC"), "joblib"),
    "nat": (lambda: pd.NaT, "joblib"),
    "missing": (lambda: pd.NA, "joblib"),
    "arrow table": (lambda: pa.table({"a": [1, None], "b": ["x", "y"]}), "parquet"),
    "arrow array": (lambda: pa.array([{"x": 1}, None]), "joblib"),
    "scaler": (lambda: fitted(StandardScaler()), "skops"),
    "pipeline": (lambda: fitted(make_pipeline(StandardScaler(), LogisticRegression())), "skops"),
    "forest": (lambda: fitted(RandomForestRegressor(5, random_state=0)), "skops"),
    "boosting": (lambda: fitted(HistGradientBoostingClassifier(max_iter=3, random_state=0)), "skops"),
    "columns' transformer": (
        lambda: fitted(ColumnTransformer([("one", OneHotEncoder(), [0]), ("rest", "passthrough", [1, 2])])),
        "skops",
    ),
    "estimator that is not fitted": (lambda: LogisticRegression(C=0.5), "skops"),
}


def _with_attrs(value: pd.DataFrame) -> pd.DataFrame:
    value.attrs["source"] = "crm"
    return value


def all_fingerprints() -> dict[str, str | Unfingerprintable]:
    return {name: fingerprint(make()) for name, (make, _) in VALUES.items()}


@pytest.mark.parametrize("name", VALUES)
def test_exact_round_trip(name: str) -> None:
    value = VALUES[name][0]()
    wanted = fingerprint(value)
    assert isinstance(wanted, str)
    loaded = load_exact(save_exact({"value": value, "again": value}).data)
    assert fingerprint(loaded["value"]) == wanted
    assert loaded["value"] is loaded["again"] or type(value) in (int, float, complex, str, bytes)
    assert type(loaded["value"]) is type(value)


@pytest.mark.parametrize("name", VALUES)
def test_open_round_trip(name: str, tmp_path: pathlib.Path) -> None:
    make, format = VALUES[name]
    value = make()
    saved = save_open(value)
    assert saved.format == format, saved.note
    file = tmp_path / f"value{saved.suffix}"
    file.write_bytes(saved.data)
    loaded = load_open(file, saved.format)
    assert fingerprint(loaded) == fingerprint(plain(value) if format == "json" else value)
    assert bool(saved.note) == (format == "joblib")


def test_fingerprints_tell_all_values_apart() -> None:
    found = collections.Counter(all_fingerprints().values())
    same = {frozenset(n for n, f in all_fingerprints().items() if f == print_) for print_, n in found.items() if n > 1}
    assert same == {frozenset({"nan", "odd nan"})}


OTHER_PROCESS = """
import importlib.util, json, sys
path, name, files, out = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, path)
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
from pathlib import Path
from mlops_jupyter.runtime.codecs import load_exact, load_open
from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint
index = json.loads((Path(files) / "index.json").read_text())
Path(out).write_text(json.dumps({
    "made": module.all_fingerprints(),
    "exact": {k: fingerprint(v) for k, v in load_exact((Path(files) / "exact").read_bytes()).items()},
    "open": {k: fingerprint(load_open(Path(files) / file, format)) for k, (file, format) in index.items()},
}))
"""


def test_another_process_agrees(tmp_path: pathlib.Path) -> None:
    values = {name: make() for name, (make, _) in VALUES.items()}
    made = {name: fingerprint(value) for name, value in values.items()}
    (tmp_path / "exact").write_bytes(save_exact(values).data)
    index = {}
    for number, (name, value) in enumerate(values.items()):
        saved = save_open(value)
        (tmp_path / str(number)).write_bytes(saved.data)
        index[name] = (str(number), saved.format)
    (tmp_path / "index.json").write_text(json.dumps(index))
    root = pathlib.Path(importlib.util.find_spec("mlops_jupyter").origin).parents[1]
    script = [sys.executable, "-c", OTHER_PROCESS, __file__, __name__, str(tmp_path), str(tmp_path / "out")]
    variables = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(root)}
    subprocess.run(script, check=True, env=variables, timeout=120)
    found = json.loads((tmp_path / "out").read_text())
    assert found["made"] == made
    assert found["exact"] == made
    bare = {n: fingerprint(plain(v)) if VALUES[n][1] == "json" else made[n] for n, v in values.items()}
    assert found["open"] == bare
