"""Where a store's bytes lie: a folder of this machine, or any address that fsspec knows. Paths are relative."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

from .faults import Fault


class Place(Protocol):
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


class Folder:
    """A place on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path | None = folder
        self._root = folder

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self._root / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        """Write beside and rename.

        Nothing is flushed to the disk (10 ms each time): what a loss of power may spoil is told by its digest, or by
        being no JSON, and counts as absent.
        """
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            Path(beside).replace(target)
        except BaseException:
            Path(beside).unlink()
            raise

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


class Remote:
    """A place behind an fsspec address (`s3://…`, `gs://…`, `ftp://…`). Objects of such stores appear whole."""

    def __init__(self, uri: str) -> None:
        try:
            from fsspec.core import url_to_fs  # type: ignore[import-untyped, unused-ignore]
        except ModuleNotFoundError:
            raise Fault(f"the store {uri!r} needs fsspec: pip install fsspec") from None
        self.folder: Path | None = None
        try:
            # Connections do not survive a fork: every process opens its own.
            self._fs, self._root = url_to_fs(uri, skip_instance_cache=True, use_listings_cache=False)
        except (ImportError, ValueError) as fault:
            raise Fault(f"cannot open the store {uri!r}: {fault}") from None

    def _path(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        data: bytes = self._fs.cat_file(self._path(path))
        return data

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        target = self._path(path)
        self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._fs.pipe_file(target, data)

    def size(self, path: str) -> int | None:
        """Return a file's length in bytes, or None."""
        try:
            info: dict[str, Any] = self._fs.info(self._path(path))
        except FileNotFoundError:
            return None
        return int(info["size"] or 0)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder."""
        try:
            found = self._fs.ls(self._path(path), detail=False)
        except FileNotFoundError:
            return []
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def delete(self, path: str) -> None:
        """Delete a file."""
        if self.size(path) is not None:  # what rm_file raises for an absent file differs from service to service
            self._fs.rm_file(self._path(path))


def place(uri: str) -> Place:
    """Return the place at an address: a local path, or `scheme://…`."""
    scheme, found, _ = uri.partition("://")
    if not found or len(scheme) < 2:  # C://… is no scheme
        return Folder(Path(uri).expanduser().absolute())
    return Remote(uri)
