"""Atomic writes: a reader sees the old content of a file or the new one, never a part, even after a crash."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a free path beside `path`; when the block ends, the file made there replaces `path` in one rename.

    If the block raises, that file is removed and `path` stays as it was. A process that is killed leaves a file whose
    name begins with a dot. A folder can only replace an empty folder, or a path that does not exist.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}")  # of 255 bytes at most, whatever the name
    try:
        yield beside
        beside.replace(path)
    except BaseException:
        if beside.is_dir() and not beside.is_symlink():
            shutil.rmtree(beside, ignore_errors=True)
        else:
            beside.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, data: bytes, *, fsync: bool, mode: int = 0o600) -> None:
    """Write a file atomically.

    Parameters
    ----------
    path : the file. Its folder is made if it does not exist.
    fsync : wait until the content is on the disk (10 ms). Without it, a loss of power may leave a part of the content
        under the new name; that is enough where a digest, or invalid JSON, shows it and the file can be made again.
    mode : permissions, before the process's umask is applied; by default only the owner may read the file.
    """
    with replacing(path) as beside:
        write_new(beside, data, fsync=fsync, mode=mode)


def write_new(path: Path, data: bytes, *, fsync: bool, mode: int = 0o666) -> None:
    """Write a file that does not exist yet, under a name that nobody reads before it is complete.

    Parameters
    ----------
    fsync : wait until the content is on the disk.
    mode : permissions, before the process's umask is applied.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        if fsync:
            stream.flush()
            os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the file names in a folder are on the disk; some file systems write them after the contents."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private(path: str, flags: int) -> int:
    """Open a file that nobody but its owner may read: the `opener` of `open`."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
