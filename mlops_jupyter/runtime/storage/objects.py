"""Bytes kept under the digest of their content: written whole or not at all, checked when they are read."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from ..hashing import content_digest
from .backends import Backend, FolderBackend


class DamagedObjectError(UserError):
    """The bytes found are not those that were stored, or there are none."""


class ObjectStore:
    """Immutable bytes on a backend, at `objects/ab/cdef…`. Knows nothing of what they mean.

    A project's `.mlops` and every bundle's store have one; so what the one wrote, the other reads.

    Parameters
    ----------
    backend : where the bytes lie.
    uri : the store's address, for messages.
    """

    def __init__(self, backend: Backend, uri: str) -> None:
        self._backend = backend
        self._uri = uri

    def put(self, data: bytes) -> str:
        """Keep bytes; return their digest. The same bytes are written once, a truncated copy is mended."""
        key = content_digest(data)
        if not self.keeps(key, len(data)):
            self._backend.write(object_path(key), data)
        return key

    def get(self, key: str) -> bytes:
        """Return the bytes of a digest.

        Raises
        ------
        DamagedObjectError
            They are not there, or not those that were put; then they are removed, so that they can be put again.
        """
        try:
            data = self._backend.read(object_path(key))
        except FileNotFoundError:
            raise DamagedObjectError(f"artifact {key[:12]} is gone from the store {self._uri!r}: run again") from None
        if content_digest(data) != key:
            self._backend.delete(object_path(key))
            raise DamagedObjectError(
                f"artifact {key[:12]} in the store {self._uri!r} was damaged and is removed: run again"
            )
        return data

    def keeps(self, key: str, length: int) -> bool:
        """Whether the bytes of a digest are there in their full length (their content is judged when it is read)."""
        return self._backend.size(object_path(key)) == length


def project_objects(folder: Path) -> ObjectStore:
    """Return the object store of a project's `.mlops`; what is put there is on the disk, for nothing makes it again."""
    return ObjectStore(FolderBackend(folder, fsync=True), str(folder))


def object_path(key: str) -> str:
    """Return where the bytes of a digest lie in a store."""
    return f"objects/{key[:2]}/{key[2:]}"
