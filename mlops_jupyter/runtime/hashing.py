"""Every formula by which this package hashes something, named by what it hashes.

A digest that was ever written to a disk is law: it names files of a store, stands in manifests of bundles, and is the
key of cache entries. So a formula that must change gets a new format in its pre-image, and old digests stay readable.
`tests/runtime/test_hashing.py` holds the values. Nothing here uses `hash()`, which differs from process to process.

The pre-images of values, one for each kind of record, are in `fingerprints/hash_records.py`; they are hashed by
`default_hasher` in a bundle and by `kernel_hasher` in a notebook. Two formulas stand elsewhere, because their modules
travel alone: the digest of a bundle's code in `executors/remote_task.py` (the same as `content_digest`), and the key
of a run in Dagster's generated sensor.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol


class Hasher(Protocol):
    """A hash object of hashlib or xxhash, with the two methods that are used here."""

    def update(self, data: Any, /) -> None:
        """Add bytes to what is hashed."""
        ...

    def digest(self) -> bytes:
        """Return the hash, as bytes, of everything added so far."""
        ...


New = Callable[..., Hasher]
"""The constructor of a hash object, called as ``new(data)``."""


def _blake2b(data: bytes, size: int) -> str:
    """Return the BLAKE2b hash (RFC 7693) of `size` bytes, in hex digits."""
    return hashlib.blake2b(data, digest_size=size).hexdigest()


# Addresses in a store.


def content_digest(data: bytes) -> str:
    """Return the address of bytes in a store: BLAKE2b-256 in hex, untagged, so that other tools can check it."""
    return _blake2b(data, 32)


def file_digest(path: Path) -> str:
    """Return the `content_digest` of a file, reading the file in chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def cache_key_digest(facts: Mapping[str, object]) -> str:
    """Return the cache key of a step.

    Parameters
    ----------
    facts : everything that the step's results depend on, as JSON: its version, the digests of its inputs ...
    """
    record = {"record": "step", "format": 1, **facts}
    return content_digest(json.dumps(record, sort_keys=True, separators=(",", ":")).encode())


def initial_value_digest(value: object) -> str:
    """Return the digest of a hidden variable's initial value, given as JSON."""
    return content_digest(json.dumps(value, sort_keys=True).encode())


def secret_digest(name: str, value: str) -> str:
    """Return the digest by which cache keys tell one value of a secret from another: scrypt (RFC 7914), salted.

    It takes tens of milliseconds and 16 MB, so that a short secret cannot be guessed from it. The salt is the name: the
    same everywhere, so that machines share a cache.
    """
    return _scrypt(value, f"mlops_jupyter:secret:1:{name}")


@functools.cache
def _scrypt(text: str, salt: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt.encode(), n=2**14, r=8, p=1, dklen=32).hex()


# Versions of code and packages.


def step_version(module: str, uses: str) -> str:
    """Return a step's version.

    Parameters
    ----------
    module, uses : the code of the step's module, and that of other steps' modules that it uses, both normalized.
    """
    return _blake2b(f"step:1\n{module}\n{uses}".encode(), 16)


def shown_version(source: str) -> str:
    """Return the version that a panel shows for a step that is not exported yet; it is never stored."""
    return _blake2b(f"shown:1\n{source}".encode(), 6)


def source_digest(shared: str, files: Iterable[tuple[str, bytes]]) -> str:
    """Return the digest of source files. Line endings do not count, since git may have changed them.

    Parameters
    ----------
    shared : the digest of further files that count too; "" for none.
    files : (path, content).
    """
    hasher = hashlib.blake2b(shared.encode(), digest_size=16)
    for path, content in files:
        text = content.replace(b"\r\n", b"\n")
        hasher.update(f"\n{path} {len(text)}\n".encode() + text)
    return hasher.hexdigest()


MODULE_VERSION = "source:"
"""How the version of a module begins that belongs to no distribution."""


def module_version(files: Iterable[bytes]) -> str:
    """Return the version of a module that belongs to no distribution, from the content of its files."""
    return MODULE_VERSION + content_digest("".join(map(content_digest, files)).encode())


def stage_version(facts: object) -> str:
    """Return the version of a DVC stage.

    Parameters
    ----------
    facts : what no file of the stage holds; the `repr` is hashed.
    """
    return _blake2b(repr(facts).encode("utf-8", "backslashreplace"), 6)


# Files and lines that an export wrote.


def written_file_digest(data: bytes) -> str:
    """Return a file's digest for a bundle's manifest. Line endings do not count, since git may have changed them."""
    return _blake2b(data.replace(b"\r\n", b"\n"), 16)


def written_line_digest(line: str) -> str:
    """Return the digest of one line of a bundle's file, long enough to tell whether the line is still there."""
    return _blake2b(line.encode(), 4)


# Marks that tell equal names apart.


def name_mark(name: str, size: int) -> str:
    """Return a mark of `size` bytes, in hex, for a name that had to be shortened or spelled with fewer characters."""
    return _blake2b(name.encode(), size)


def path_mark(path: str | Path) -> str:
    """Return a mark of four bytes, in hex, that tells apart folders of the same name."""
    return _blake2b(os.fsencode(path), 4)


def tracking_id(pipeline: str, run: str, *parts: str) -> str:
    """Return the id of a tracked run or model, 32 hex digits: the same whenever a run's step is executed again."""
    return content_digest("\0".join((pipeline, run, *parts)).encode())[:32]


# Values and random bits.


def default_hasher(data: bytes = b"") -> Hasher:
    """Return BLAKE2b with 16 bytes, for fingerprints in a bundle: the same everywhere and without a dependency.

    >>> default_hasher(b"abc").digest().hex()
    'cf4ab791c62b8d2b2109c90275287816'
    """
    return hashlib.blake2b(data, digest_size=16)


def kernel_hasher() -> New:
    """Return xxh3-128, for fingerprints in a notebook, where they only need to show that a value changed.

    Raises
    ------
    ImportError
        xxhash is not installed; a bundle need not have it.
    """
    from xxhash import xxh3_128

    return xxh3_128


def change_hasher() -> New:
    """Return the fastest hash here that shows whether a value changed while a process ran; nobody keeps its digests.

    xxh3-128 where xxhash is installed, else the first 16 bytes of SHA-1, three times as fast as BLAKE2b.
    """
    try:
        return kernel_hasher()
    except ImportError:
        return _ShortSha1


class _ShortSha1:
    def __init__(self, data: Any = b"") -> None:
        self._hash = hashlib.sha1(data, usedforsecurity=False)

    def update(self, data: Any, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.digest()[:16]


def watched_file_digest(data: bytes) -> str:
    """Return the xxh3-128 digest by which a notebook sees that a file changed. Raises as `kernel_hasher` does."""
    return kernel_hasher()(data).digest().hex()


def entropy(key: str, drawn: int) -> bytes:
    """Return the 64 pseudo-random bytes of one draw from a key; `drawn` is the number of the draw, from 1."""
    return hashlib.blake2b(f"{key}:{drawn}".encode()).digest()
