"""Bytes kept under the hash of their content: written whole or not at all, checked on read."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from .errors import UserError


class DamagedObjectError(UserError):
    """The bytes found are not those that were stored."""


def digest(data: bytes) -> str:
    """Return the BLAKE2b-256 of bytes in hex (RFC 7693)."""
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink()
        raise


class Objects:
    """A folder of immutable bytes, addressed by content. Putting the same bytes twice writes once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where the object with that digest lies, whether or not it is there."""
        return self.folder / key[:2] / key[2:]

    def put(self, data: bytes) -> str:
        """Keep bytes; return their digest."""
        key = digest(data)
        if not self.path(key).exists():
            write_whole(self.path(key), data)
        return key

    def get(self, key: str) -> bytes:
        """Return the bytes of that digest; raise `KeyError` if absent, `DamagedObjectError` if they changed."""
        try:
            data = self.path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        if digest(data) != key:
            raise DamagedObjectError(
                f"object {key[:12]} in {self.folder} is damaged: delete {self.path(key)} and run again"
            )
        return data

    def __contains__(self, key: str) -> bool:
        return self.path(key).exists()
