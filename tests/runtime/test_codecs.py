"""Saving: identity inside a group, faults that name the culprit, and formats that give back nothing else."""

from __future__ import annotations

import io
import json
import pickle
import socket
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from mlops_jupyter.runtime.codecs import (
    SerializationError,
    UnknownFormatError,
    load_exact,
    load_open,
    save_exact,
    save_open,
)
from mlops_jupyter.runtime.codecs.models import UntrustedTypesError, load_joblib
from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint


class Thing:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


def carried(**values: Any) -> Any:
    return types.SimpleNamespace(**load_exact(save_exact(values).data))


def test_objects_stay_one() -> None:
    row = [1]
    found = carried(row=row, rows=[row, row], thing=Thing(row=row))
    found.row.append(2)
    assert found.rows == [[1, 2], [1, 2]]
    assert found.thing.row == [1, 2]


VIEWS: list[tuple[str, str]] = [
    ("a = np.arange(12.0); b = a[2:5]", "a[3] = 99"),
    ("a = np.arange(12.0); b = a[::-2]", "b[1] = 99"),
    ("base = np.arange(12.0); a = base[1:9]; b = base[4:]; del base", "a[5] = 99"),
    ("a = np.arange(12.0).reshape(3, 4); b = a.T", "b[1, 2] = 99"),
    ("a = np.asfortranarray(np.arange(12.0).reshape(3, 4)); b = a[1]", "a[1, 1] = 99"),
    ("a = np.empty_like(np.zeros((2, 3, 4)).transpose(1, 0, 2)); a[:] = 1; b = a[1]", "a[1, 1, 2] = 99"),
    ("a = np.array([[1], 2, None, 'x'], dtype=object); b = a[::-1]", "a[1] = 99; b[3].append(2)"),
    ("a = np.zeros(4, dtype='i4,f8'); b = a['f1']", "b[2] = 99"),
    ("a = np.arange(4.0); b = {'inside': [a[1:]]}", "a[1] = 99"),
    ("a = pd.DataFrame({'x': [1.0, 2.0], 'y': [3.0, 4.0]}); b = a.values", "a.iloc[0, 0] = 99"),
]


@pytest.mark.parametrize(("made", "change"), VIEWS)
def test_views_stay_views(made: str, change: str) -> None:
    space: dict[str, Any] = {"np": np, "pd": pd}
    exec(made, space)
    found = load_exact(save_exact({"a": space["a"], "b": space["b"]}).data)
    assert fingerprint(found["a"]) == fingerprint(space["a"])
    assert fingerprint(found["b"]) == fingerprint(space["b"])
    exec(change, space)
    exec(change, {"np": np, "pd": pd}, found)
    assert fingerprint(found["a"]) == fingerprint(space["a"])
    assert fingerprint(found["b"]) == fingerprint(space["b"])


def test_a_small_view_does_not_carry_its_large_owner() -> None:
    owner = np.zeros(1_000_000)
    assert len(save_exact({"part": owner[:10]}).data) < 1000
    assert len(save_exact({"part": owner[:10], "owner": owner}).data) < 8_100_000


def test_read_only_stays_read_only() -> None:
    owner = np.arange(5.0)
    view = owner[1:]
    view.flags.writeable = False
    found = carried(owner=owner, view=view)
    assert found.owner.flags.writeable
    assert not found.view.flags.writeable


class Unwilling:
    def __reduce_ex__(self, protocol: int) -> Any:
        raise RuntimeError("not me")


CULPRITS: dict[str, tuple[Callable[[], Any], str]] = {
    "generator": (lambda: (x for x in "a"), "'v' cannot be saved: it is a generator"),
    "inside": (lambda: {"rows": [1, (x for x in "a")]}, "'v' cannot be saved: it holds a generator at v['rows'][1]"),
    "lock": (lambda: Thing(inner=Thing(guard=threading.Lock())), "it holds a lock at v.inner.guard"),
    "socket": (lambda: [socket.socket()], "it holds a network connection at v[0]"),
    "file": (lambda: {"log": Path(__file__).open()}, "it holds an open file at v['log']"),  # noqa: SIM115
    "lambda": (lambda: [lambda x: x], "it holds the function '<lambda>', which another process cannot import at v[0]"),
    "module": (lambda: {"np": np}, "it holds a module at v['np']"),
    "hook": (lambda: [Unwilling()], "it holds an Unwilling, which cannot leave its process (RuntimeError) at v[0]"),
    "array": (lambda: np.array([1, threading.Lock()], dtype=object), "it holds a lock at v[1]"),
    "frame": (lambda: pd.DataFrame({"a": [1, threading.Lock()]}), "it holds a lock at v['a'][1]"),
    "estimator": (
        lambda: FunctionTransformer(lambda x: x),
        "'<lambda>', which another process cannot import at v.func",
    ),
}


@pytest.mark.parametrize("name", CULPRITS)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_culprit_is_named(name: str) -> None:
    make, words = CULPRITS[name]
    with pytest.raises(SerializationError) as fault:
        save_exact({"fine": 1, "v": make()})
    assert words in str(fault.value)
    assert fault.value.name == "v"
    if "<lambda>" in words:  # delivered by value: no step has to find it
        saved = save_open(make())
        assert (saved.format, type(load_joblib(saved.data))) == ("joblib", type(make()))
    else:
        with pytest.raises(SerializationError, match="cannot be saved: it"):
            save_open(make())


def test_what_lives_in_main_is_refused_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    exec("class Foo: pass\ndef f(): pass", main.__dict__)
    monkeypatch.setitem(sys.modules, "__main__", main)
    value = {"model": [main.Foo()]}
    assert isinstance(load_exact(save_exact(value).data)["model"][0], main.Foo)
    with pytest.raises(SerializationError, match="it needs 'Foo' of the notebook"):
        save_exact(value, importable_only=True)
    with pytest.raises(SerializationError, match="it needs 'f' of the notebook"):
        save_exact({"f": main.f}, importable_only=True)
    assert load_exact(save_exact({"x": [1, LogisticRegression()]}, importable_only=True).data)["x"][0] == 1


BARE: list[tuple[Any, str]] = [
    (0.91, "0.91"),
    (np.float64(0.91), "0.91"),
    (np.int32(3), "3"),
    (True, "true"),
    (None, "null"),
    ("naïve", '"naïve"'),
    ([1, np.bool_(False)], "[1, false]"),
    ({"auc": np.float32(0.5)}, '{"auc": 0.5}'),
    (float("nan"), "NaN"),
    (float("-inf"), "-Infinity"),
]


@pytest.mark.parametrize(("value", "text"), BARE)
def test_json_is_the_bare_value(value: Any, text: str) -> None:
    saved = save_open(value)
    assert (saved.format, saved.data.decode(), saved.note) == ("json", text, "")


NOTES: list[tuple[Any, str]] = [
    ((1, 2), "no open format for tuple"),
    ([1, (2, 3)], "json has no tuple"),
    ({1: "a"}, "json has only text as keys, not int"),
    ({"when": pd.Timestamp("2024-01-01")}, "json has no Timestamp"),
    (pd.DataFrame({"a": [1, "x"]}), "parquet"),
]


@pytest.mark.parametrize(("value", "note"), NOTES)
def test_a_fallback_says_why(value: Any, note: str) -> None:
    saved = save_open(value)
    assert saved.format == "joblib"
    assert note in saved.note


def test_others_can_read_the_files(tmp_path: Path) -> None:
    series = pd.Series([1.5, 2.5], index=["a", "b"], name="score")
    file = tmp_path / "score.parquet"
    file.write_bytes(save_open(series).data)
    pd.testing.assert_frame_equal(pd.read_parquet(file), series.to_frame())
    assert list(np.load(io.BytesIO(save_open(np.arange(3)).data))) == [0, 1, 2]
    assert json.loads(save_open({"a": [1.5]}).data) == {"a": [1.5]}


def test_figures(tmp_path: Path) -> None:
    figure = matplotlib.figure.Figure()
    figure.subplots().plot([1, 2])
    saved = save_open(figure)
    assert (saved.format, saved.data[:4]) == ("png", b"\x89PNG")
    assert saved == save_open(figure)
    page = save_open(go.Figure(go.Scatter(y=[1, 2])))
    assert page.format == "html"
    (tmp_path / "page.html").write_bytes(page.data)
    assert "plotly" in load_open(tmp_path / "page.html", "html")


def test_an_estimator_of_the_notebook_falls_to_joblib(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    exec("from sklearn.linear_model import LogisticRegression\nclass Mine(LogisticRegression): pass", main.__dict__)
    monkeypatch.setitem(sys.modules, "__main__", main)
    saved = save_open(main.Mine())
    assert saved.format == "joblib"
    assert "__main__.Mine" in saved.note


def test_skops_refuses_strangers(tmp_path: Path) -> None:
    import skops.io

    file = tmp_path / "model.skops"
    file.write_bytes(skops.io.dumps(FunctionTransformer(pickle.loads)))
    with pytest.raises(UntrustedTypesError, match=r"_pickle\.loads"):
        load_open(file, "skops")


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match=r"'xls' .* there are json, npy, parquet"):
        load_open(tmp_path / "x", "xls")
