"""One scheduler for a project: a lock that the operating system drops when its holder dies, however it dies."""

from __future__ import annotations

import os
from pathlib import Path


class Lock:
    """An advisory lock on a file that holds the pid of its holder. Only between processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> bool:
        """Try to take it, without waiting; True if it is ours now."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _flock(handle):
            os.close(handle)
            return False
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        self._handle = handle
        return True

    def holder(self) -> str:
        """The pid of who has it, as text; empty if nobody wrote one."""
        try:
            return self._path.read_text().strip()
        except OSError:
            return ""

    def release(self) -> None:
        """Let another process have it. Releasing twice is harmless."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _flock(handle: int) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
