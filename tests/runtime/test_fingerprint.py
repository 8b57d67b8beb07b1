"""Fingerprints: equal values agree, any change shows, nothing raises, and shared objects are found."""

from __future__ import annotations

import copy
import io
import marshal
import math
import pickle
import sqlite3
import struct
import threading
import time
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from mlops_jupyter.runtime.codecs import load_exact, save_exact
from mlops_jupyter.runtime.fingerprints import arrays as values_arrays
from mlops_jupyter.runtime.fingerprints.fingerprint import Unfingerprintable, fingerprint, survey, surveys
from mlops_jupyter.runtime.fingerprints.plain import image
from mlops_jupyter.runtime.fingerprints.walk import Known
from mlops_jupyter.runtime.verify.compare import ComparisonStatus, compare

NAN, ODD_NAN = float("nan"), struct.unpack("<d", b"\x01\0\0\0\0\0\xf8\xff")[0]

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8)
KEYS = st.text(max_size=5) | st.integers() | st.tuples(st.integers(), st.text(max_size=3))
LEAVES = ATOMS | st.dates() | st.decimals(allow_nan=False) | st.floats().map(np.float64) | st.sets(st.text(max_size=3))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


class Thing:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_equal_values_agree(value: Any) -> None:
    wanted = fingerprint(value)
    assert isinstance(wanted, str)
    assert len(wanted) == 32
    assert fingerprint(copy.deepcopy(value)) == wanted
    assert fingerprint(pickle.loads(pickle.dumps(value))) == wanted
    assert fingerprint(Thing(x=value)) == fingerprint(Thing(x=copy.deepcopy(value)))


@given(st.lists(ATOMS | st.sets(st.integers(), min_size=1), min_size=1), st.data())
@settings(max_examples=200, deadline=None)
def test_any_change_of_an_element_shows(value: list[Any], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(ATOMS)
    changed = [*value[:place], other, *value[place + 1 :]]
    same = type(other) is type(value[place]) and marshal.dumps(tidied(other), 2) == marshal.dumps(
        tidied(value[place]), 2
    )
    assert (fingerprint(changed) == fingerprint(value)) == same
    assert fingerprint([*value, other]) != fingerprint(value)


def tidied(value: Any) -> Any:
    return NAN if value != value else value


@given(st.lists(st.floats(width=64), min_size=1, max_size=50), st.data())
@settings(max_examples=100, deadline=None)
def test_layout_does_not_count_and_values_do(numbers: list[float], data: st.DataObject) -> None:
    array = np.array(numbers)
    wanted = fingerprint(array)
    wide = np.zeros((len(numbers), 3))
    wide[:, 1] = array
    assert fingerprint(wide[:, 1]) == wanted
    assert fingerprint(array[::-1].copy()[::-1]) == wanted
    place = data.draw(st.integers(0, len(numbers) - 1))
    array[place] = 1.0 if array[place] != 1.0 else 2.0
    assert fingerprint(array) != wanted


@given(
    st.lists(st.none() | st.text(max_size=4), max_size=30),
    st.integers(0, 30),
    st.integers(0, 5),
    st.sampled_from(["string", "large_string"]),
)
@settings(max_examples=100, deadline=None)
def test_arrow_chunks_and_offsets_do_not_count(texts: list[str | None], cut: int, skip: int, kind: str) -> None:
    whole = pa.array(texts, pa.type_for_alias(kind))
    padded = pa.array(["junk"] * skip + texts + [None], whole.type)
    parts = pa.chunked_array([padded[skip : skip + cut], padded[skip + cut : skip + len(texts)]], whole.type)
    if cut <= len(texts):
        assert fingerprint(pa.table({"a": parts})) == fingerprint(pa.table({"a": whole}))
    assert fingerprint(pa.array([*texts, "more"], whole.type)) != fingerprint(whole)


ARROW = {
    "int with nulls": pa.array([7, 1, None, 3, 9]),
    "float": pa.array([7.0, math.nan, None, -0.0, 9.0]),
    "bool": pa.array([True, None, False, True, True]),
    "time": pa.array([7, 1, None, 3, 9], pa.timestamp("us", "UTC")),
    "date": pa.array([7, 1, None, 3, 9], pa.date32()),
    "list": pa.array([[7], [1, 2], None, [], [9]]),
    "struct": pa.array([{"x": 7}, {"x": 1}, None, {"x": None}, {"x": 9}]),
    "dictionary": pa.array(["z", "a", None, "b", "z"]).dictionary_encode(),
    "decimal": pa.array([7, 1, None, 3, 9]).cast(pa.decimal128(25, 2)),
    "view": pa.array(["z", "a", None, "b", "z"], pa.string_view()),
    "null": pa.nulls(5),
}


@pytest.mark.parametrize("name", ARROW)
def test_slices_of_every_arrow_type(name: str) -> None:
    sliced = ARROW[name][1:4]
    rebuilt = pa.concat_arrays([pa.array(sliced.to_pylist()[:1], sliced.type), sliced[1:]])
    assert fingerprint(sliced) == fingerprint(rebuilt)
    assert name == "null" or fingerprint(sliced) != fingerprint(ARROW[name][2:5])


def test_blocks_of_a_frame_do_not_count() -> None:
    matrix = np.random.default_rng(0).random((5000, 40))
    matrix[3, 7] = np.nan
    names = [f"c{n}" for n in range(40)]
    one = pd.DataFrame(matrix, columns=names)
    many = pd.DataFrame({name: matrix[:, n].copy() for n, name in enumerate(names)})
    transposed = pd.DataFrame(np.asfortranarray(matrix).T.copy().T, columns=names, copy=False)
    wanted = fingerprint(one)
    assert fingerprint(many) == fingerprint(transposed) == wanted
    assert fingerprint(pd.DataFrame(np.ascontiguousarray(matrix), columns=names, copy=False)) == wanted
    many.iloc[4999, 39] += 1e-15
    assert fingerprint(many) != wanted


FRAME = pd.DataFrame({"a": [1, 2], "b": [0.5, NAN], "c": ["x", "y"]})
CHANGES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "value": lambda f: f.assign(a=[1, 3]),
    "dtype": lambda f: f.astype({"a": "int32"}),
    "name": lambda f: f.rename(columns={"a": "A"}),
    "order of columns": lambda f: f[["b", "a", "c"]],
    "index": lambda f: f.set_axis([1, 2]),
    "name of the index": lambda f: f.rename_axis("i"),
    "attributes": lambda f: _with_attrs(f),
    "missing": lambda f: f.fillna(0),
    "text": lambda f: f.assign(c=["x", "z"]),
    "flags": lambda f: f.set_flags(allows_duplicate_labels=False),
    "categories": lambda f: f.astype({"c": "category"}),
    "rows": lambda f: f.iloc[:1],
    "a column less": lambda f: f[["a", "b"]],
    "series": lambda f: f["a"],
}


def _with_attrs(value: pd.DataFrame) -> pd.DataFrame:
    found = value.copy()
    found.attrs = {"x": 1}
    return found


def test_every_change_of_a_frame_shows() -> None:
    found = {name: fingerprint(change(FRAME.copy())) for name, change in CHANGES.items()}
    assert len({fingerprint(FRAME), *found.values()}) == len(CHANGES) + 1
    assert fingerprint(FRAME.copy()) == fingerprint(FRAME)


DISTINCT: list[Any] = [
    0, 0.0, -0.0, False, "0", b"0", None, (), [], {}, set(), frozenset(), "", b"", bytearray(), 0j, np.float64(0),
    np.int64(0), np.float32(0), np.array(0), np.array([0]), np.array([[0]]), np.array([0.0]), {"a": 1, "b": 2},
    {"b": 2, "a": 1}, [[1], 2], [1, [2]], [1, 2], (1, 2), {1, 2}, frozenset({1, 2}), range(2), slice(2), "nan", NAN,
    OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), np.nan * np.ones(1), int, float, len, math, ..., NotImplemented,
    [(1, 2), 3], [1, (2, 3)], [None], [[]], [{}], {"": None}, pd.NaT, pd.NA,
]  # fmt: skip


def test_different_things_have_different_fingerprints() -> None:
    found = [fingerprint(value) for value in DISTINCT]
    assert all(isinstance(one, str) for one in found)
    assert len(set(found)) == len(DISTINCT)


def test_every_nan_is_the_same() -> None:
    for make in (lambda x: x, lambda x: [x, "g"], lambda x: {"a": [x, 1]}, lambda x: np.array([1.0, x]), np.float64):
        assert fingerprint(make(ODD_NAN)) == fingerprint(make(NAN))
    assert fingerprint(complex(1, ODD_NAN)) == fingerprint(complex(1, NAN))
    assert fingerprint(pd.DataFrame({"a": [ODD_NAN]})) == fingerprint(pd.DataFrame({"a": [NAN]}))


def test_formulas_stand_still() -> None:
    """These change only together with `formulas.FORMAT`."""
    assert fingerprint({"auc": 0.5, "n": [1, None, "é"]}) == "cbf6437e6e82d1407d5d099f3f957c1c"
    assert fingerprint(np.arange(3.0)) == "9a7ea7fbb101a1ff5dc8b8db7bf4c505"
    assert image([1, 2.5, "a"], lambda seconds: None) == b"[\x03\0\0\0i\x01\0\0\0g\0\0\0\0\0\0\x04@u\x01\0\0\0a"


def test_a_class_is_the_same_once_its_instances_have_been_pickled() -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("class Foo:\n def __init__(self): self.x = 1", space)
    before = fingerprint(space["Foo"])
    space["Foo"]().__reduce_ex__(2)
    assert "__slotnames__" in vars(space["Foo"])
    assert fingerprint(space["Foo"]) == before


def test_classes_agree_across_modules() -> None:
    def notebook(module: str) -> Any:
        space: dict[str, Any] = {"__name__": module}
        exec("class Foo:\n def __init__(self): self.x = [1]\n def f(self): return 2", space)
        return space["Foo"]

    here, there = notebook("__main__"), notebook("churn.shared")
    assert fingerprint(here()) == fingerprint(there())
    other = there()
    other.x.append(2)
    assert fingerprint(other) != fingerprint(here())


def test_functions_count_by_code() -> None:
    def made(factor: int) -> Callable[[int], int]:
        return lambda x: x * factor

    assert fingerprint(made(2)) == fingerprint(made(2))
    assert fingerprint(made(2)) != fingerprint(made(3))
    space: dict[str, Any] = {}
    exec("def f(x, y=1): return x + y\n\n\n\ndef g(x, y=2): return x + y", space)
    first = space["f"]
    exec("# moved\ndef f(x, y=1): return x + y", space)
    assert fingerprint(first) == fingerprint(space["f"]) != fingerprint(space["g"])


def test_memory_that_a_library_takes_as_it_comes_is_no_content() -> None:
    one, two = types.SimpleNamespace(exog=np.zeros(3)), types.SimpleNamespace(exog=np.zeros(3))
    one._tmp_like_exog, two._tmp_like_exog = np.full(3, 7e180), np.zeros(3)
    assert fingerprint(one) == fingerprint(two)
    assert compare(one, two).status is ComparisonStatus.IDENTICAL
    two.exog[0] = 1.0
    assert fingerprint(one) != fingerprint(two)


def test_cycles_and_shared_parts() -> None:
    def ring() -> list[Any]:
        a: list[Any] = [1]
        b: dict[str, Any] = {"a": a}
        a += [b, b, Thing(owner=a)]
        return a

    assert fingerprint(ring()) == fingerprint(ring())
    changed = ring()
    changed[1]["more"] = 1
    assert fingerprint(changed) != fingerprint(ring())
    doubled: Any = [Thing()]
    for _ in range(60):
        doubled = [doubled, doubled]
    assert isinstance(fingerprint(doubled), str)
    plain: Any = [1]
    for _ in range(60):
        plain = [plain, plain]
    assert isinstance(fingerprint(plain), str)


def deep(levels: int) -> Any:
    found: Any = object()
    for _ in range(levels):
        found = [found]
    return found


def deep_plain() -> Any:
    found: Any = []
    for _ in range(20_000):
        found = [found]
    return found


CLOSED: dict[str, tuple[Callable[[], Any], str]] = {
    "generator": (lambda: (x for x in "a"), "generator"),
    "lock": (threading.Lock, "a lock"),
    "object with a lock": (lambda: Thing(inner=[threading.RLock()]), "a lock"),
    "thread": (threading.Thread, "a thread"),
    "file": (lambda: Path(__file__).open(), "an open file"),  # noqa: SIM115
    "connection": (lambda: sqlite3.connect(":memory:"), "a database connection"),
    "figure": (matplotlib.figure.Figure, "a figure"),
    "axes": (lambda: matplotlib.figure.Figure().subplots(2, 2), "a figure"),
    "too deep": (lambda: deep(20_000), "nested"),
    "too deep and plain": (deep_plain, "nested"),
    "array of closed things": (lambda: np.array([threading.Lock()], dtype=object), "a lock"),
    "frame of closed things": (lambda: pd.DataFrame({"a": [threading.Lock()]}), "a lock"),
}


@pytest.mark.parametrize("name", CLOSED)
def test_what_cannot_be_known_is_said(name: str) -> None:
    make, word = CLOSED[name]
    value = make()
    found = survey(value)
    assert isinstance(found.fingerprint, Unfingerprintable)
    assert word in found.fingerprint.reason
    assert id(value) in found.objects
    if name in ("too deep", "too deep and plain"):
        while value:  # taken down by hand: the interpreter's own way recurses
            value = value[0] if isinstance(value, list) else None
    elif hasattr(type(value), "close"):
        value.close()


def test_stream_in_memory_is_content() -> None:
    assert fingerprint(io.BytesIO(b"a")) == fingerprint(io.BytesIO(b"a")) != fingerprint(io.BytesIO(b"b"))


def test_huge_stand_ins_end_within_their_budget(tmp_path: Any) -> None:
    mapped = np.memmap(tmp_path / "big", dtype="f8", mode="w+", shape=(1_000_000_000,))
    broadcast = np.broadcast_to(np.float64(1), (10, 10**9))
    frame = pd.DataFrame({"a": range(10)})
    values = {"mapped": mapped, "broadcast": broadcast, "rows": [{"n": n, "x": Thing(n=n)} for n in range(100_000)]}
    for name, value in values.items():
        started = time.perf_counter()
        found = survey(value, new=xxhash.xxh3_128, budget_seconds=0.1)
        assert isinstance(found.fingerprint, Unfingerprintable), name
        assert "took longer than 0.1 s" in found.fingerprint.reason, name
        assert time.perf_counter() - started < 10, "what would take a minute ends soon"
    assert isinstance(fingerprint(frame, budget_seconds=0.1), str)


def test_random_state_is_read_and_not_drawn_from() -> None:
    rng = np.random.default_rng(1)
    before = fingerprint(rng)
    assert fingerprint(rng) == before
    rng.random()
    assert fingerprint(rng) != before
    other = np.random.default_rng(1)
    other.spawn(1)
    assert fingerprint(other) != fingerprint(np.random.default_rng(1))


def test_the_shared_random_state_is_itself_wherever_it_is_held() -> None:
    shared = np.random.mtrand._rand
    before = fingerprint([shared])
    shared.random()
    assert fingerprint([shared]) == before != fingerprint([np.random.RandomState(0)])
    assert load_exact(save_exact({"held": Thing(rng=shared)}).data)["held"].rng is shared
    own = load_exact(save_exact({"own": np.random.RandomState(3)}).data)["own"]
    assert own is not shared
    assert own.random() == np.random.RandomState(3).random()
    assert compare(Thing(rng=np.random.RandomState(3), t=1.0), Thing(rng=np.random.RandomState(3), t=1.0 + 1e-9)).reason


class Compiled:
    """As a class of Cython is: its reducer copies what it holds."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __reduce__(self) -> Any:
        return Compiled, (np.array(self.data),)


def test_copies_that_reducers_make_are_let_go() -> None:
    known: Known = {}
    shared = np.arange(3)
    value = [Compiled(np.arange(4)), Thing(x=shared), Compiled(np.arange(4)), Thing(x=shared)]
    assert fingerprint(value, known=known) == fingerprint(value)
    arrays = [part for _, part, _ in known.values() if isinstance(part, np.ndarray)]
    assert len(arrays) == 1
    assert arrays[0] is shared


def test_what_is_shared_has_a_digest_of_its_own() -> None:
    base, inner = np.arange(5.0), Thing(x=1)
    value = Thing(view=base[1:], inner=inner)
    seen = surveys([value, inner], owned=lambda key: key == id(base))[0]
    assert {id(base), id(inner)} <= seen.digests.keys() <= seen.objects
    base[0] = 9
    again = surveys([value, inner], owned=lambda key: key == id(base))[0]
    assert again.fingerprint == seen.fingerprint
    assert {key for key in seen.digests if again.digests[key] != seen.digests[key]} == {id(base)}


RECORDS = np.array([(1.5, 2, (3, 4)), (NAN, 5, (6, 7))], [("a", "f8"), ("b", "u1"), ("c", "i2", (2,))])


@pytest.mark.parametrize(
    "small",
    [
        np.array([1.5, NAN]),
        np.array([complex(NAN, 1), 2j]),
        np.array([1.5, NAN], ">f8"),
        np.array([1.5, NAN], "f2"),
        np.array(["2020", "NaT"], "M8[D]"),
        np.array(["a", "bc"]),
        RECORDS,
    ],
    ids=lambda small: small.dtype.str if small.dtype.names is None else "record",
)
def test_small_arrays_are_hashed_as_large_ones(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = small.copy()
    if small.dtype == np.float64:
        odd[1] = ODD_NAN
    wanted = fingerprint(small)
    assert fingerprint(odd) == fingerprint(np.repeat(small, 2)[::2]) == wanted
    monkeypatch.setattr(values_arrays, "SMALL", -1)
    assert fingerprint(small) == wanted


def test_fitting_changes_an_estimator() -> None:
    data = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    model = RandomForestClassifier(5, random_state=0)
    before = fingerprint(model)
    model.fit(*data)
    assert fingerprint(model) != before
    again = RandomForestClassifier(5, random_state=0).fit(*data)
    assert fingerprint(again) == fingerprint(model)


def sharing(space: dict[str, Any], *names: str) -> bool:
    found = [survey(space[name]).objects for name in names]
    return bool(frozenset.intersection(*found))


# code, two names, whether they change together
SHARED = [
    ("a = [1]; b = a", "a b", True),
    ("a = [1]; b = [a]", "a b", True),
    ("a = [1]; b = list(a)", "a b", False),
    ("inner = []; a = {'x': inner}; b = (inner,)", "a b", True),
    ("rows = [[1], [2]]; first = rows[0]", "rows first", True),
    ("a = (1, 2); b = a", "a b", False),
    ("a = ([1], 2); b = a", "a b", True),
    ("a = 'text'; b = [a]; c = [a]", "b c", False),
    ("a = np.arange(9); b = a[2:5]", "a b", True),
    ("a = np.arange(9)[1:]; b = a[2:5].reshape(3, 1)", "a b", True),
    ("a = np.arange(9); b = a[2:5].copy()", "a b", False),
    ("a = np.arange(9); b = {'view': a.T}", "a b", True),
    ("buffer = bytearray(8); a = np.frombuffer(buffer, 'u1')", "a buffer", True),
    ("a = np.array([[1], None], dtype=object); b = a[0]", "a b", True),
    ("f = pd.DataFrame({'x': [1.0, 2.0]}); g = f", "f g", True),
    ("f = pd.DataFrame({'x': [1.0, 2.0]}); g = f.copy()", "f g", False),
    ("f = pd.DataFrame({'x': [1.0, 2.0]}); g = {'f': f}", "f g", True),
    ("f = pd.DataFrame({'x': [1.0], 'y': [2.0]}); a = f.values", "f a", True),
    ("f = pd.DataFrame({'x': [[1]]}); a = f['x'][0]", "f a", True),
    ("o = Thing(x=[1]); x = o.x", "o x", True),
    ("o = Thing(x=[1]); d = o.__dict__", "o d", True),
    ("o = Thing(x=[1]); p = Thing(x=[1])", "o p", False),
    ("o = Thing(); o.me = o; box = [o]", "o box", True),
    ("def made():\n  box = []\n  return (lambda: box), (lambda: box)\nf, g = made()", "f g", True),
    ("o = Thing(x=1); m = o.__init__", "o m", True),
    ("rng = np.random.default_rng(0); o = Thing(rng=rng)", "o rng", True),
    ("fig = Figure(); ax = fig.subplots()", "fig ax", True),
    ("fig = Figure(); ax = fig.subplots(); line = ax.plot([1, 2])", "fig line", True),
    ("fig = Figure(); other = Figure()", "fig other", False),
    ("it = iter([1, 2]); box = [it]", "it box", True),
    ("rows = [1]; g = (r for r in rows)", "rows g", True),
    ("f = io.StringIO('a'); import csv; r = csv.reader(f)", "f r", True),
    ("import logging; a = Thing(log=logging.getLogger('x')); b = Thing(log=logging.getLogger('x'))", "a b", False),
    ("a = Thing(t=np.dtype('f8'), c=int, f=len); b = Thing(t=np.dtype('f8'), c=int, f=len)", "a b", False),
    ("s = scipy.sparse.eye(3, format='csr'); d = s.data", "s d", True),
]


@pytest.mark.parametrize(("code", "names", "together"), SHARED)
def test_names_that_share_objects_are_known(code: str, names: str, together: bool) -> None:
    import scipy.sparse

    space: dict[str, Any] = {"np": np, "pd": pd, "Thing": Thing, "Figure": matplotlib.figure.Figure, "io": io}
    exec(code, space | {"scipy": scipy}, local := {})
    if "def f" in code:
        exec(code, space, space)
        local = space
    assert sharing(local, *names.split()) is together


def test_frames_under_copy_on_write_do_not_share() -> None:
    from mlops_jupyter.runtime.fingerprints.reachable import copies_on_write

    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    part = frame[["x"]]
    column = frame["y"]
    assert copies_on_write() is (int(pd.__version__.split(".")[0]) >= 3)
    shares = bool(survey(frame).objects & survey(column).objects)
    assert shares is not copies_on_write()
    assert not survey(part).objects & survey(column).objects
