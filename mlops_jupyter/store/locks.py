"""File locks between processes: flock(2), which the operating system frees however the holder ends.

A lock belongs to the open file, so a child process that inherits the file holds the lock, too.

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

import os
from pathlib import Path

from mlops_jupyter.core.errors import UserError


class LocksUnavailableError(UserError):
    """The file system cannot lock a file: to go on would let two processes write at once."""


def try_lock(handle: int, path: Path, *, shared: bool = False) -> bool:
    """Lock an open file without waiting; return False if another process has it locked.

    Parameters
    ----------
    handle : the open file's descriptor.
    path : the file's name, for messages.
    shared : share the lock with others that ask for a shared one; it is exclusive otherwise.

    Raises
    ------
    LocksUnavailableError
        The file system has no such locks.
    """
    import fcntl

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise LocksUnavailableError(
            f"cannot lock {str(path)!r}: its file system has no file locks ({error.strerror}); "
            "work in a folder on a disk of this machine"
        ) from error
    return True


def unlock(handle: int) -> None:
    """Free the lock of an open file, which stays open."""
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_UN)


def read_if_locked(path: Path) -> str | None:
    """Return the text of a file that a process has locked exclusively; None if none has, or there is no file.

    The check holds a shared lock for a moment: a process that tries to lock the file just then must try again.

    Raises
    ------
    LocksUnavailableError
        The file system has no such locks.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        return None if try_lock(handle, path, shared=True) else file.read().decode(errors="replace").strip()


class FileLock:
    """An exclusive lock on a file that contains its holder's pid. Between processes only, not between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Try to take the lock without waiting, and write our pid into the file; return whether it was taken.

        Raises
        ------
        LocksUnavailableError
            The file system has no such locks.
        """
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not try_lock(handle, self._path):
                os.close(handle)
                return False
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return True

    def holder(self) -> str:
        """Return the pid that the last holder wrote, as text; "" if the file does not exist."""
        try:
            return self._path.read_text().strip()
        except OSError:
            return ""

    def release(self) -> None:
        """Free the lock. Releasing twice is harmless."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
