"""Files appear whole: whatever happens on the way, a reader finds the old content or the new."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_jupyter.runtime.storage.atomic import replacing, sync_folder, write_atomic, write_new


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("fsync", [True, False], ids=["flushed", "not flushed"])
@pytest.mark.parametrize("before", [None, b"", b"old" * 1000], ids=["absent", "empty", "there"])
def test_content_is_replaced(tmp_path: Path, fsync: bool, before: bytes | None) -> None:
    path = tmp_path / "a" / "b.txt"
    if before is not None:
        path.parent.mkdir()
        path.write_bytes(before)
    write_atomic(path, b"new", fsync=fsync)
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["b.txt"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    write_atomic(tmp_path / ("é" * 127), b"new", fsync=False)
    assert (tmp_path / ("é" * 127)).read_bytes() == b"new"


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_full_disk_leaves_the_old_content(tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "write":
        opened = os.fdopen
        monkeypatch.setattr(os, "fdopen", lambda handle, mode: opened(os.open("/dev/full", os.O_WRONLY), mode))
    elif call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_atomic(path, b"new" * 100_000, fsync=True)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


KILLED = """
import os, signal, sys
from pathlib import Path
from mlops_jupyter.runtime.storage.atomic import write_atomic
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
write_atomic(Path(sys.argv[1]), b"new", fsync=True)
"""


def test_a_killed_writer_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    process = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert process.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    beside = [name for name in names(tmp_path) if name != "a.txt"]
    assert len(beside) == 1
    assert beside[0].startswith("."), "stores do not list such names"
    write_atomic(path, b"new", fsync=True)
    assert path.read_bytes() == b"new"


def test_a_folder_takes_the_place_of_an_empty_one(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    with replacing(target) as beside:
        beside.mkdir()
        write_new(beside / "a.txt", b"new", fsync=False)
        assert names(target) == []
    assert names(target) == ["a.txt"]
    assert names(tmp_path) == ["bundle"]


def test_a_folder_takes_no_place_of_a_full_one(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "mine").touch()
    with pytest.raises(OSError), replacing(tmp_path / "bundle") as beside:
        beside.mkdir()
        (beside / "a.txt").touch()
    assert names(tmp_path / "bundle") == ["mine"]
    assert names(tmp_path) == ["bundle"]


def test_an_interrupt_removes_what_was_made(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a") as beside:
        beside.symlink_to(tmp_path)
        raise KeyboardInterrupt
    assert names(tmp_path) == []
    assert tmp_path.is_dir(), "a link is removed, not what it leads to"


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_new(tmp_path / "new", b"", fsync=True)
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    sync_folder(tmp_path)


def test_a_new_file_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"new", fsync=False)
    assert (tmp_path / "a").read_bytes() == b"old"
