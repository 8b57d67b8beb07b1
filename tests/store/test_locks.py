"""Locks between processes: one holder, free when it dies, inherited by children, and refused where there are none."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.integrations.mlflow import courier
from mlops_jupyter.services.doctor import project
from mlops_jupyter.services.doctor.check_result import CheckStatus
from mlops_jupyter.services.export.bundle import transaction
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.locks import FileLock, LocksUnavailableError, read_if_locked, try_lock, unlock

HOLDER = """
import sys
from pathlib import Path
from mlops_jupyter.store.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


@pytest.fixture
def handle(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)


def hold(path: Path) -> subprocess.Popen[str]:
    """Start a process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_one_holder_at_a_time(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    assert first.acquire()
    assert not second.acquire()
    assert not first.acquire(), "not even by itself"
    assert second.holder() == read_if_locked(path) == str(os.getpid())
    first.release()
    first.release()
    assert read_if_locked(path) is None
    assert second.acquire()
    second.release()


def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    process = hold(path)
    lock = FileLock(path)
    try:
        assert not lock.acquire()
        assert lock.holder() == read_if_locked(path) == str(process.pid)
    finally:
        process.kill()
        process.wait()
    assert lock.holder() == str(process.pid), "the last holder's"
    assert lock.acquire()
    lock.release()


def test_an_inherited_file_has_the_lock(path: Path, handle: int) -> None:
    assert try_lock(handle, path)
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=(handle,)
    ) as child:
        os.close(handle)
        assert not FileLock(path).acquire()
        child.kill()
    lock = FileLock(path)
    assert lock.acquire()
    lock.release()


def test_an_unlocked_file_stays_open(path: Path, handle: int) -> None:
    assert try_lock(handle, path)
    unlock(handle)
    lock = FileLock(path)
    assert lock.acquire()
    assert not try_lock(handle, path)
    lock.release()
    assert os.pread(handle, 100, 0) == str(os.getpid()).encode()
    os.close(handle)


def test_shared_locks_go_together(path: Path, handle: int) -> None:
    assert try_lock(handle, path, shared=True)
    assert read_if_locked(path) is None
    assert not FileLock(path).acquire()
    os.close(handle)


def test_a_file_that_is_not_there_is_locked_by_nobody(path: Path) -> None:
    assert read_if_locked(path) is None
    assert FileLock(path).holder() == ""
    assert not path.exists()


@pytest.fixture(
    params=[errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF], ids=errno.errorcode.get
)
def lockless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The words of a file system that has no locks."""
    words = os.strerror(request.param)

    def refuse(handle: int, operation: int) -> None:
        raise OSError(request.param, words)

    monkeypatch.setattr(fcntl, "flock", refuse)
    return words


def test_where_there_are_no_locks_nobody_goes_on(path: Path, handle: int, lockless: str) -> None:
    line = f"cannot lock {str(path)!r}: its file system has no file locks ({lockless}); work in a folder on a disk"
    for act in (lambda: try_lock(handle, path), FileLock(path).acquire, lambda: read_if_locked(path)):
        with pytest.raises(LocksUnavailableError) as caught:
            act()
        assert str(caught.value).startswith(line)
        assert isinstance(caught.value, UserError)
        assert "\n" not in str(caught.value)
    os.close(handle)


def test_a_bundle_is_not_written_without_a_lock(tmp_path: Path, lockless: str) -> None:
    with pytest.raises(UserError, match="has no file locks"), transaction.locked(tmp_path):
        pytest.fail("it went on")


def test_a_courier_is_not_started_without_a_lock(
    tmp_path: Path, lockless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "_start", lambda *given: pytest.fail("it was started"))
    with pytest.raises(UserError, match="has no file locks"):
        courier.ensure(tmp_path, "sqlite:///mlflow.db")


def test_the_doctor_says_that_there_are_no_locks(tmp_path: Path, lockless: str) -> None:
    Ledger(tmp_path / "ledger.db").close()
    (tmp_path / "scheduler.lock").touch()
    (finding,) = (finding for finding in project.look(tmp_path) if finding.name == "scheduler")
    assert finding.state is CheckStatus.FAULT
    assert finding.what.endswith(f"its file system has no file locks ({lockless})")
    assert finding.do == "work in a folder on a disk of this machine"
