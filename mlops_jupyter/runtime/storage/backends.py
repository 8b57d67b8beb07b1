"""Where a store's bytes lie: a folder of this machine, or any address that fsspec knows. Paths are relative."""

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
    """The few things that a store asks of a file system. What is absent raises `FileNotFoundError`."""

    folder: Path | None

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file so that readers see all of it or nothing."""

    def size(self, path: str) -> int | None:
        """Return a file's length in bytes, or None if there is no such file."""

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, sorted; none if there is no such folder."""

    def delete(self, path: str) -> None:
        """Delete a file; one that is not there is no fault."""


class FolderBackend:
    """A place on this machine.

    Parameters
    ----------
    folder : it is made by the first write.
    fsync : flush each file to the disk (10 ms). Without it, what a loss of power may spoil is told by its digest, or by
        being no JSON, and counts as absent: enough for what can be made again.
    """

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.folder: Path | None = folder
        self._root = folder
        self._fsync = fsync

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self._root / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        """Write beside and rename."""
        write_atomic(self._root / path, data, fsync=self._fsync)

    def size(self, path: str) -> int | None:
        """Return a file's length in bytes, or None."""
        try:
            return (self._root / path).stat().st_size
        except FileNotFoundError:
            return None

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, without what is being written."""
        try:
            return sorted(name for name in os.listdir(self._root / path) if not name.startswith("."))  # noqa: PTH208
        except FileNotFoundError:
            return []

    def delete(self, path: str) -> None:
        """Delete a file."""
        (self._root / path).unlink(missing_ok=True)


OBJECTS = ("s3", "gs", "gcs", "abfs", "az", "oss", "memory")
"""Schemes whose objects appear whole, in folders that need not be made."""

RETRIES = 2
"""How often more to try what a network refused."""

BACKOFF = Backoff(first=0.3, factor=5, longest=1.5)

LASTING = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Faults of the file systems that another try would meet again."""

T = TypeVar("T")


class FsspecBackend:
    """A place behind an fsspec address (`s3://…`, `gs://…`, `ftp://…`).

    Where a file could be seen while it is written, it is written beside and renamed. What a network refuses is tried
    again: everything here can be done twice. Large objects go up in several parts where the service has such.
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
        """Write a file."""
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
        """Return a file's length in bytes, or None."""
        try:
            info: dict[str, Any] = _persistent(lambda: self._fs.info(self._path(path)))
        except FileNotFoundError:
            return None
        return int(info["size"] or 0)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, without what is being written."""
        try:
            found: list[str] = _persistent(lambda: self._fs.ls(self._path(path), detail=False))
        except FileNotFoundError:
            return []
        names = sorted(name.rstrip("/").rpartition("/")[2] for name in found)
        return [name for name in names if not name.startswith(".")]

    def delete(self, path: str) -> None:
        """Delete a file."""
        if self.size(path) is not None:  # what rm_file raises for an absent file differs from service to service
            with suppress(FileNotFoundError):
                _persistent(lambda: self._fs.rm_file(self._path(path)))


def _persistent(act: Callable[[], T]) -> T:
    """Do something over a network, with further tries; a fault that stays is an `OSError`, as of any file system."""
    for pause in (*BACKOFF.pauses(RETRIES), None):
        try:
            return act()
        except LASTING:
            raise
        except Exception as fault:  # each library of a service has faults of its own kind
            if pause is None:
                raise fault if isinstance(fault, OSError) else OSError(f"{type(fault).__name__}: {fault}") from fault
        time.sleep(pause)
    raise AssertionError("unreachable")


def open_backend(uri: str) -> Backend:
    """Return the place at an address: a local path, or `scheme://…`."""
    scheme, found, _ = uri.partition("://")
    if not found or len(scheme) < 2:  # C://… is no scheme
        return FolderBackend(Path(uri).expanduser().absolute())
    return FsspecBackend(uri)
