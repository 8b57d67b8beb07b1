"""Backends of stores: a folder on this machine, or any address that fsspec supports. Paths are relative."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..errors import PipelineError
from ..model.backoff import Backoff
from .atomic import write_atomic


class Backend(Protocol):
    """The file system operations that a store needs. To read a file that does not exist raises `FileNotFoundError`."""

    folder: Path | None

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file atomically: a reader sees all of it or nothing."""

    def size(self, path: str) -> int | None:
        """Return a file's length in bytes, or None if the file does not exist."""

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, sorted; an empty list if the folder does not exist."""

    def delete(self, path: str) -> None:
        """Delete a file, if it exists."""

    def touch(self, path: str) -> None:
        """Set a file's time of change to now, if it exists and the backend can."""


class FolderBackend:
    """A backend that is a folder on this machine.

    Parameters
    ----------
    folder : the folder. The first write makes it.
    fsync : flush each file to the disk (10 ms). Without it, a loss of power may leave a partial file. Its digest, or
        invalid JSON, shows that, and it counts as absent: enough for what can be made again.
    """

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.folder: Path | None = folder
        self._root = folder
        self._fsync = fsync

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self._root / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        """Write a file atomically, and flush it to the disk if the backend does so."""
        write_atomic(self._root / path, data, fsync=self._fsync)

    def size(self, path: str) -> int | None:
        """Return a file's length in bytes, or None if the file does not exist."""
        try:
            return (self._root / path).stat().st_size
        except FileNotFoundError:
            return None

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, sorted, without files that are being written."""
        try:
            return sorted(name for name in os.listdir(self._root / path) if not name.startswith("."))  # noqa: PTH208
        except FileNotFoundError:
            return []

    def delete(self, path: str) -> None:
        """Delete a file, if it exists."""
        (self._root / path).unlink(missing_ok=True)

    def touch(self, path: str) -> None:
        """Set a file's time of change to now, if it exists."""
        with suppress(OSError):
            os.utime(self._root / path)


OBJECTS = ("s3", "gs", "gcs", "abfs", "az", "oss", "memory")
"""Schemes of object stores, whose objects appear atomically and need no folders."""

RETRIES = 2
"""How often to retry an operation that a network refused."""

BACKOFF = Backoff(first=0.3, factor=5, longest=1.5)

LASTING = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Errors that a retry would meet again."""

T = TypeVar("T")


class FsspecBackend:
    """A backend at an fsspec address (`s3://…`, `gs://…`, `ftp://…`).

    Where a file would be visible while it is written, it is written under another name and renamed. Operations that a
    network refuses are retried: all of them are idempotent. Large objects are uploaded in parts where the service can.
    """

    def __init__(self, uri: str) -> None:
        try:
            from fsspec.core import url_to_fs  # type: ignore[import-untyped, unused-ignore]
        except ModuleNotFoundError:
            raise PipelineError(f"the store {uri!r} needs fsspec: pip install fsspec") from None
        self.folder: Path | None = None
        self._appears_whole = uri.partition("://")[0] in OBJECTS
        try:
            # Connections do not survive a fork: every process opens its own.
            self._fs, self._root = url_to_fs(uri, skip_instance_cache=True, use_listings_cache=False)
        except (ImportError, ValueError) as fault:
            raise PipelineError(f"cannot open the store {uri!r}: {fault}") from None

    def _path(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return _persistent(lambda: bytes(self._fs.cat_file(self._path(path))))

    def write(self, path: str, data: bytes) -> None:
        """Write a file atomically."""
        target = self._path(path)
        if self._appears_whole:
            _persistent(lambda: self._fs.pipe_file(target, data))
        else:
            _persistent(lambda: self._write_beside(target, data))

    def _write_beside(self, target: str, data: bytes) -> None:
        folder, _, name = target.rpartition("/")
        self._fs.makedirs(folder, exist_ok=True)
        beside = f"{folder}/.{name}.{secrets.token_hex(4)}"
        self._fs.pipe_file(beside, data)
        self._fs.mv(beside, target)

    def size(self, path: str) -> int | None:
        """Return a file's length in bytes, or None if the file does not exist."""
        try:
            info: dict[str, Any] = _persistent(lambda: self._fs.info(self._path(path)))
        except FileNotFoundError:
            return None
        return int(info["size"] or 0)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, sorted, without files that are being written."""
        try:
            paths: list[str] = _persistent(lambda: self._fs.ls(self._path(path), detail=False))
        except FileNotFoundError:
            return []
        names = sorted(name.rstrip("/").rpartition("/")[2] for name in paths)
        return [name for name in names if not name.startswith(".")]

    def delete(self, path: str) -> None:
        """Delete a file, if it exists."""
        if self.size(path) is not None:  # what rm_file raises for an absent file differs from service to service
            with suppress(FileNotFoundError):
                _persistent(lambda: self._fs.rm_file(self._path(path)))

    def touch(self, path: str) -> None:
        """Do nothing: object stores have no such operation, and nothing deletes from them by age."""


def _persistent(act: Callable[[], T]) -> T:
    """Perform an operation over a network, with retries; raise an error that stays as an `OSError`."""
    for pause in (*BACKOFF.pauses(RETRIES), None):
        try:
            return act()
        except LASTING:
            raise
        except Exception as fault:  # the library of each service has its own error classes
            if pause is None:
                raise fault if isinstance(fault, OSError) else OSError(f"{type(fault).__name__}: {fault}") from fault
        time.sleep(pause)
    raise AssertionError("unreachable")


def open_backend(uri: str) -> Backend:
    """Return the backend at an address: a local path, or `scheme://…`."""
    scheme, separator, _ = uri.partition("://")
    if not separator or len(scheme) < 2:  # C://… is no scheme
        return FolderBackend(Path(uri).expanduser().absolute())
    return FsspecBackend(uri)
