"""What every place that a store can lie in must do: a folder, memory, and what is reached over a network."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from mlops_jupyter.runtime.hashing import content_digest
from mlops_jupyter.runtime.model.backoff import Backoff
from mlops_jupyter.runtime.storage import backends
from mlops_jupyter.runtime.storage.backends import open_backend
from mlops_jupyter.runtime.storage.objects import DamagedObjectError
from mlops_jupyter.runtime.storage.store import Store


class Shaky(MemoryFileSystem):
    """A service that refuses every other call, each time in another way."""

    protocol = "shaky"
    faults = (ConnectionResetError("reset"), TimeoutError("late"), OSError(5, "slow down"), RuntimeError("a library's"))
    calls: ClassVar[Counter[str]] = Counter()

    def _refuse(self, verb: str) -> None:
        self.calls[verb] += 1
        if self.calls[verb] % 2:
            raise self.faults[self.calls[verb] // 2 % len(self.faults)]

    def cat_file(self, path, *args, **kwargs):
        self._refuse("read")
        return super().cat_file(path, *args, **kwargs)

    def pipe_file(self, path, *args, **kwargs):
        self._refuse("write")
        return super().pipe_file(path, *args, **kwargs)

    def info(self, path, **kwargs):
        self._refuse("size")
        return super().info(path, **kwargs)

    def ls(self, path, detail=True, **kwargs):
        self._refuse("names")
        return super().ls(path, detail=detail, **kwargs)


class Gone(MemoryFileSystem):
    """A service that does not come back."""

    protocol = "gone"

    def cat_file(self, path, *args, **kwargs):
        raise RuntimeError("no such host")


for each in (Shaky, Gone):
    fsspec.register_implementation(each.protocol, each, clobber=True)


@pytest.fixture(params=["folder", "file", "memory", "shaky"])
def uri(request, tmp_path, monkeypatch) -> Iterator[str]:
    """An address where nothing lies yet."""
    monkeypatch.setattr(backends, "BACKOFF", Backoff(0.0, 1, 0.0))
    monkeypatch.setattr(backends, "RETRIES", 5)
    Shaky.calls.clear()
    name = secrets.token_hex(4)
    yield {
        "folder": str(tmp_path / "store"),
        "file": f"file://{tmp_path}/store",
        "memory": f"memory://{name}",
        "shaky": f"shaky://{name}",
    }[request.param]
    MemoryFileSystem.store.clear()


def test_a_place_keeps_files(uri):
    found = open_backend(uri)
    assert found.names("a") == []
    assert found.size("a/b") is None
    found.delete("a/b")
    with pytest.raises(FileNotFoundError):
        found.read("a/b")
    for data in (b"one", b"", b"\x00\xff" * 70_000):
        found.write("a/b", data)
        found.write("a/c/d", data)
        assert found.read("a/b") == data
        assert found.size("a/b") == len(data)
    assert found.names("a") == ["b", "c"]
    assert found.names("") == ["a"]
    assert open_backend(uri).read("a/c/d") == data, "another door shows the same"
    found.delete("a/b")
    assert found.names("a") == ["c"]
    assert found.size("a/b") is None


DAMAGE = {"truncated": lambda data: data[:-1], "empty": lambda data: b"", "changed": lambda data: b"X" + data[1:]}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_artifact_is_refused_and_can_be_put_again(uri, damage):
    store, data = Store(uri), b"rows" * 1000
    key = store.put(data)
    path = f"objects/{key[:2]}/{key[2:]}"
    open_backend(uri).write(path, damage(data))
    with pytest.raises(DamagedObjectError, match="was damaged and is removed: run again"):
        store.get(key)
    assert not store.keeps(key, len(data))
    assert store.put(data) == key
    assert store.get(key) == data


def test_a_record_cut_short_counts_as_absent(uri):
    store = Store(uri)
    store.remember("k", {"outputs": [], "delivered": []})
    assert store.cached("k") is not None
    open_backend(uri).write("cache/k.json", open_backend(uri).read("cache/k.json")[:-3])
    assert store.cached("k") is None


def test_what_stays_refused_is_an_error_of_a_file_system(monkeypatch):
    monkeypatch.setattr(backends, "BACKOFF", Backoff(0.0, 1, 0.0))
    with pytest.raises(OSError, match="RuntimeError: no such host"):
        open_backend("gone://x").read("a")


# The writer is stopped where half of the bytes are written, and killed there.
WRITER = """
import os, signal, sys, builtins
import fsspec.implementations.local as local
from mlops_jupyter.runtime.storage import backends
from mlops_jupyter.runtime.storage.store import Store

class Half:
    def __init__(self, stream):
        self.stream = stream

    def write(self, data):
        self.stream.write(data[: len(data) // 2])
        self.stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        pass

opened = os.fdopen
backends.os.fdopen = lambda *words: Half(opened(*words))
local.LocalFileOpener.write = lambda self, data: Half(self.f).write(data)
Store(sys.argv[1]).put(b"row" * 100_000)
"""


@pytest.mark.parametrize("scheme", ["", "file://"], ids=["folder", "file"])
def test_a_writer_killed_half_way_leaves_nothing_that_is_read(tmp_path, scheme):
    uri, data = f"{scheme}{tmp_path}/store", b"row" * 100_000
    done = subprocess.run([sys.executable, "-c", WRITER, uri], env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    assert done.returncode == -signal.SIGKILL
    parts = [path for path in Path(tmp_path, "store").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in parts] == [len(data) // 2], "it was half way"
    store, key = Store(uri), content_digest(data)
    assert not store.keeps(key, len(data))
    assert open_backend(uri).names(f"objects/{key[:2]}") == []
    with pytest.raises(DamagedObjectError, match="is gone from the store"):
        store.get(key)
    assert store.put(data) == key
    assert store.get(key) == data
