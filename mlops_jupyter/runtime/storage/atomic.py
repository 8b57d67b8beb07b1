"""Files that appear whole: a reader sees the old content or the new, never a part, also after a crash."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a free name beside a path; what is made there takes the path's place in one rename when the block ends.

    If the block raises, what was made is removed and the path stays as it was. A process that is killed leaves a file
    whose name begins with a dot. A folder can take the place only of an empty folder, or of nothing.
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


def write_atomic(path: Path, data: bytes, *, fsync: bool) -> None:
    """Write a file so that it appears whole; only its owner may read it.

    Parameters
    ----------
    path : its folder is made if it is not there.
    fsync : wait until the content is on the disk (10 ms). Without it, a loss of power may leave the new name with a
        part of the content: for what is told by its digest, or by being no JSON, and can be made again.
    """
    with replacing(path) as beside:
        write_new(beside, data, fsync=fsync, mode=0o600)


def write_new(path: Path, data: bytes, *, fsync: bool, mode: int = 0o666) -> None:
    """Write a file that is not there yet, in a place where nobody looks until it is whole.

    Parameters
    ----------
    mode : permissions, of which the process's umask takes some away.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        if fsync:
            stream.flush()
            os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; some file systems write them after the files' content."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
