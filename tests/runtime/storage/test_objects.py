"""One object store for a project and for bundles: one layout on the disk, which both read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_jupyter.runtime.storage.objects import DamagedObjectError, ObjectStore, project_objects
from mlops_jupyter.runtime.storage.store import Store

ROWS = "2b492deb3f168fc524a0e70112047a24cde68acd7abfbceaecd793d2a5d24f95"
"""Of `b"rows"`."""

STORES: dict[str, Callable[[Path], ObjectStore | Store]] = {
    "project": project_objects,
    "bundle": Store,
    "fsspec": lambda folder: Store(f"file://{folder}"),
}


@pytest.fixture(params=STORES.values(), ids=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore | Store:
    made: ObjectStore | Store = request.param(tmp_path)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an older version kept `b"rows"`."""
    return tmp_path / "objects" / ROWS[:2] / ROWS[2:]


def test_an_object_lies_where_it_always_lay(store: ObjectStore | Store, path: Path) -> None:
    assert store.put(b"rows") == ROWS
    assert path.read_bytes() == b"rows"
    assert store.keeps(ROWS, 4)
    assert not store.keeps(ROWS, 5)


def test_what_an_older_version_kept_is_read(store: ObjectStore | Store, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rows")
    before = path.stat()
    assert store.get(ROWS) == b"rows"
    assert store.put(b"rows") == ROWS
    assert path.stat().st_ino == before.st_ino, "written once"
    assert path.stat().st_mtime_ns >= before.st_mtime_ns, "and counted as new, so that no pruning takes it"


def test_a_truncated_object_is_mended(store: ObjectStore | Store, path: Path) -> None:
    store.put(b"rows")
    path.write_bytes(b"row")
    assert store.put(b"rows") == ROWS
    assert store.get(ROWS) == b"rows"


def test_a_damaged_object_is_removed_so_that_it_can_be_put_again(store: ObjectStore | Store, path: Path) -> None:
    store.put(b"rows")
    path.write_bytes(b"ROWS")
    with pytest.raises(DamagedObjectError, match=r"artifact 2b492deb3f16 in the store .* was damaged and is removed"):
        store.get(ROWS)
    with pytest.raises(DamagedObjectError, match=r"artifact 2b492deb3f16 is gone from the store .*: run again"):
        store.get(ROWS)
    store.put(b"rows")
    assert store.get(ROWS) == b"rows"


def test_what_a_project_keeps_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    Store(tmp_path / "store").put(b"rows")
    assert flushed == [], "a bundle makes it again"
    project_objects(tmp_path).put(b"rows")
    assert len(flushed) == 1


def test_the_store_needs_no_fsspec_on_this_machine(tmp_path: Path) -> None:
    script = "import sys; from mlops_jupyter.runtime.storage.store import Store; Store(sys.argv[1]).put(b'rows')\n"
    script += "assert 'fsspec' not in sys.modules"
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
