"""The object store: bytes under the digest of their content, written atomically and checked when they are read."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from ..hashing import content_digest
from .backends import Backend, FolderBackend


class DamagedObjectError(UserError):
    """An object of the store is missing, or its bytes do not have its digest."""


class ObjectStore:
    """Stores immutable bytes on a backend, at `objects/ab/cdef…`. Does not interpret them.

    A project's `.mlops` and every bundle's store have one, so each can read what the other wrote.

    Parameters
    ----------
    backend : where the objects are stored.
    uri : the store's address, for error messages.
    """

    def __init__(self, backend: Backend, uri: str) -> None:
        self._backend = backend
        self._uri = uri

    def put(self, data: bytes) -> str:
        """Store bytes; return their digest. The same bytes are written once; a truncated object is written again.

        An object that is there already counts as new, so that none is deleted that is just about to be named.
        """
        key = content_digest(data)
        if self.keeps(key, len(data)):
            self._backend.touch(object_path(key))
        else:
            self._backend.write(object_path(key), data)
        return key

    def get(self, key: str) -> bytes:
        """Return the bytes of a digest.

        Raises
        ------
        DamagedObjectError
            The object is missing or damaged. A damaged object is removed, so that it can be stored again.
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
        """Whether the object of a digest is stored in its full length, in bytes; its content is checked by `get`."""
        return self._backend.size(object_path(key)) == length


def project_objects(folder: Path) -> ObjectStore:
    """Return the object store of a project's `.mlops`. It flushes to the disk: its objects cannot be made again."""
    return ObjectStore(FolderBackend(folder, fsync=True), str(folder))


def object_path(key: str) -> str:
    """Return the path of a digest's object in a store."""
    return f"objects/{key[:2]}/{key[2:]}"
