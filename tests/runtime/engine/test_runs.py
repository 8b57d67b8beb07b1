"""The store: what is written is whole, what is damaged is not read."""

from __future__ import annotations

import json
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.runtime.errors import PipelineError
from mlops_jupyter.runtime.hashing import content_digest
from mlops_jupyter.runtime.storage.objects import DamagedObjectError
from mlops_jupyter.runtime.storage.store import Artifact, Store, new_run, valid_run


@pytest.fixture(params=["folder", "fsspec"])
def store(request, tmp_path):
    """A store in a folder, and the same one through fsspec."""
    if request.param == "fsspec":
        return Store(f"file://{tmp_path}/s")
    return Store(tmp_path / "s")


@given(st.binary(max_size=300))
def test_bytes_come_back(tmp_path_factory, data):
    store = Store(tmp_path_factory.getbasetemp() / "shared")
    key = store.put(data)
    assert store.put(data) == key == content_digest(data)
    assert store.get(key) == data
    assert store.keeps(key, len(data))
    assert not store.keeps(key, len(data) + 1)


def test_a_damaged_object_is_refused_once_and_can_be_put_again(store, tmp_path):
    key = store.put(b"value")
    path = tmp_path / "s" / "objects" / key[:2] / key[2:]
    path.write_bytes(b"VALUE")
    with pytest.raises(DamagedObjectError, match="was damaged and is removed: run again"):
        store.get(key)
    with pytest.raises(DamagedObjectError, match="is gone from the store"):
        store.get(key)
    store.put(b"value")
    path.write_bytes(b"val")
    store.put(b"value")
    assert store.get(key) == b"value"


def test_a_cache_entry_without_its_objects_is_none(store, tmp_path):
    one = Artifact(("x",), store.put(b"one"), "json", 3)
    entry = {"outputs": [one.facts()], "delivered": [], "tracking": None}
    store.remember("k", entry)
    assert store.cached("k") == entry
    assert store.cached("other") is None
    assert Artifact.of(store.cached("k")["outputs"][0]) == one
    (tmp_path / "s" / "objects" / one.digest[:2] / one.digest[2:]).unlink()
    assert store.cached("k") is None


def record(step: str, status: str = "done") -> dict[str, object]:
    entry = {"name": step, "file": f"{step}.json", "format": "json", "fingerprint": "f", "digest": "d" * 64, "bytes": 1}
    return {"step": step, "status": status, "outputs": [], "delivered": [entry]}


def test_the_index_holds_what_ended_well(store):
    for name, status in (("b", "done"), ("a", "cached"), ("c", "failed")):
        store.set_step("r", record(name, status))
    same = {"format": "json", "fingerprint": "f", "digest": "d" * 64}
    shown = [{"name": n, "file": f"{n}.json", **same} for n in "ab"]
    assert store.index("r") == {"run": "r", "outputs": shown} == store.outputs("r")
    assert store.runs() == ["r"]
    store.forget_step("r", "a")
    assert store.step("r", "a") is None


def test_steps_that_end_at_once_make_a_complete_index(tmp_path):
    """Each task of an orchestrator writes its own record and then the index that all share."""
    names = [f"s{i}" for i in range(12)]

    def task(name: str) -> None:
        own = Store(tmp_path / "s")
        own.set_step("r", record(name))
        own.index("r")

    threads = [threading.Thread(target=task, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one["name"] for one in Store(tmp_path / "s").outputs("r")["outputs"]} == set(names)


def test_what_is_no_json_counts_as_absent(store, tmp_path):
    store.set_run("r", {"status": "running"})
    assert store.run("r") == {"status": "running"}
    (tmp_path / "s" / "r" / "run.json").write_text('{"status": "run')
    assert store.run("r") is None


def test_run_ids_sort_by_time():
    ids = []
    for _ in range(5):
        ids.append(new_run())
        time.sleep(0.002)
    assert ids == sorted(ids)
    assert len(set(ids)) == 5
    assert all(valid_run(one) == one for one in ids)


@pytest.mark.parametrize(
    ("run", "good"),
    [
        ("nightly", True),
        ("manual__2026-11-21T06:00:00+00:00", True),
        ("3", True),
        ("_a", True),
        ("", False),
        (".hidden", False),
        ("a/b", False),
        ("..", False),
        ("objects", False),
        ("cache", False),
        ("a b", False),
        ("a\n", False),
        ("x" * 201, False),
    ],
)
def test_run_ids_are_names_of_folders(run, good):
    if good:
        assert valid_run(run) == run
    else:
        with pytest.raises(PipelineError, match="is no run id"):
            valid_run(run)


def test_a_local_address_may_be_relative_or_at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store("out").folder == tmp_path / "out" == Store("~/out").folder
    Store("out").set_run("r", {})
    assert json.loads((tmp_path / "out" / "r" / "run.json").read_text()) == {}
