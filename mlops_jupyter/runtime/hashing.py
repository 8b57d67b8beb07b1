"""Every formula by which this package hashes something, named by what it hashes.

A digest that was ever written to a disk is law: stores name their files so, bundles hold them in their manifests, and a
cache is asked by them. So a formula that must change gets a new format in its pre-image, and old digests stay readable.
`tests/runtime/test_hashing.py` holds the values. Nothing here uses `hash()`, which is another in every process.

The pre-images of values, one for each kind of record, are in `values/formulas.py`; they are hashed by `default_hasher`
in a bundle and by `kernel_hasher` in a notebook. Two formulas stand elsewhere, as their text travels alone: the digest
of a bundle's code in `engines/errand.py` (`content_digest`), and the key of a run in Dagster's generated sensor.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol


class Hasher(Protocol):
    """What a hashlib constructor returns, as far as it is used here."""

    def update(self, data: Any, /) -> None:
        """Take in bytes."""
        ...

    def digest(self) -> bytes:
        """Return the hash of all that was taken in."""
        ...


New = Callable[..., Hasher]
"""A hashlib-like constructor: ``new(data)``."""


def _blake2b(data: bytes, size: int) -> str:
    """Return BLAKE2b (RFC 7693) with so many bytes, in hex."""
    return hashlib.blake2b(data, digest_size=size).hexdigest()


# What a store is addressed by.


def content_digest(data: bytes) -> str:
    """Return the digest under which a store keeps bytes: BLAKE2b-256, untagged, so that other tools can check it."""
    return _blake2b(data, 32)


def file_digest(path: Path) -> str:
    """Return the `content_digest` of a file, which is read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def cache_key(facts: Mapping[str, object]) -> str:
    """Return the key under which a step's results are cached.

    Parameters
    ----------
    facts : all that the results depend on, as JSON: the step's version, the digests of its inputs ...
    """
    record = {"record": "step", "format": 1, **facts}
    return content_digest(json.dumps(record, sort_keys=True, separators=(",", ":")).encode())


def initial_value_digest(value: object) -> str:
    """Return the digest of a hidden variable's first value, which is JSON."""
    return content_digest(json.dumps(value, sort_keys=True).encode())


# What code and packages are.


def step_version(module: str, uses: str) -> str:
    """Return a step's version.

    Parameters
    ----------
    module, uses : the step's code, and the code of other steps' modules that it uses, both in their normal form.
    """
    return _blake2b(f"step:1\n{module}\n{uses}".encode(), 16)


def shown_version(source: str) -> str:
    """Return the version that a panel shows of a step that is not exported yet; kept nowhere."""
    return _blake2b(f"shown:1\n{source}".encode(), 6)


def source_digest(shared: str, files: Iterable[tuple[str, bytes]]) -> str:
    """Return the digest of files of source text; git may have changed the ends of their lines.

    Parameters
    ----------
    shared : the digest of files that count, too; "" for none.
    files : (path, content).
    """
    hasher = hashlib.blake2b(shared.encode(), digest_size=16)
    for path, content in files:
        text = content.replace(b"\r\n", b"\n")
        hasher.update(f"\n{path} {len(text)}\n".encode() + text)
    return hasher.hexdigest()


def module_version(files: Iterable[bytes]) -> str:
    """Return the version of a module that belongs to no distribution: that of its files' content."""
    return "source:" + content_digest("".join(map(content_digest, files)).encode())


def stage_version(facts: object) -> str:
    """Return the version of a DVC stage.

    Parameters
    ----------
    facts : what no file of the stage tells; its `repr` counts.
    """
    return _blake2b(repr(facts).encode("utf-8", "backslashreplace"), 6)


# What an export wrote.


def written_file_digest(data: bytes) -> str:
    """Return the digest of a bundle's file in its manifest; git may have changed the ends of its lines."""
    return _blake2b(data.replace(b"\r\n", b"\n"), 16)


def written_line_digest(line: str) -> str:
    """Return the digest of one line of a bundle's file: enough to tell whether the line is still there."""
    return _blake2b(line.encode(), 4)


# What tells names apart.


def name_mark(name: str, size: int) -> str:
    """Return a mark of so many bytes for a name that is written with fewer signs than it has."""
    return _blake2b(name.encode(), size)


def path_mark(path: str | Path) -> str:
    """Return a mark of four bytes for a path, to tell folders of one name apart."""
    return _blake2b(os.fsencode(path), 4)


def tracking_id(pipeline: str, run: str, *parts: str) -> str:
    """Return the id of a tracked run or model: the same whenever a run's step comes to the same place."""
    return content_digest("\0".join((pipeline, run, *parts)).encode())[:32]


# Values, random bits.


def default_hasher(data: bytes = b"") -> Hasher:
    """Return BLAKE2b with 16 bytes: values' fingerprints in a bundle, the same everywhere and with no dependency.

    >>> default_hasher(b"abc").digest().hex()
    'cf4ab791c62b8d2b2109c90275287816'
    """
    return hashlib.blake2b(data, digest_size=16)


def kernel_hasher() -> New:
    """Return the constructor for values' fingerprints in a notebook, where only change is told: xxh3-128.

    Raises
    ------
    ImportError
        xxhash is not installed; a bundle need not have it.
    """
    from xxhash import xxh3_128

    return xxh3_128


def watched_file_digest(data: bytes) -> str:
    """Return the digest by which a notebook tells that a file changed: xxh3-128. Raises as `kernel_hasher` does."""
    return kernel_hasher()(data).digest().hex()


def entropy(key: str, drawn: int) -> bytes:
    """Return the 64 bytes that a key gives the so-many-th time that it is asked."""
    return hashlib.blake2b(f"{key}:{drawn}".encode()).digest()
