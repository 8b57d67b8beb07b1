"""The walk over a value: it computes each part's digest from the digests of its own parts, a shared part's once."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from ..hashing import Hasher, New
from . import plain
from .budget import Budget
from .hash_records import PREFIX, Record

DEEPEST = 150
"""Levels of containers within containers. The walk recurses, and must end before Python's own limit."""

CLOSED = 1 << 30
"""`Walk._low` when nothing refers to a container that is still open."""


LEAVES: dict[type, Callable[[Any], object]] = {
    datetime.date: datetime.date.isoformat,
    datetime.timedelta: lambda value: (value.days, value.seconds, value.microseconds),
    decimal.Decimal: decimal.Decimal.as_tuple,
    uuid.UUID: lambda value: value.int,
}
"""Types of small immutable values, each with the function that returns what tells its values apart."""
_PLAIN, _LEAF = PREFIX[Record.PLAIN], PREFIX[Record.LEAF]


class OpaqueValueError(Exception):
    """The value has no fingerprint; the message says why, in words."""


Handler = Callable[["Walk", Any], bytes]

Known = dict[int, tuple[bytes, Any, bool]]
"""`id` of a part -> its digest, the part itself (which keeps it alive, so that its id stays its own), and whether the
digest is the same wherever the part is met."""


class Walk:
    """One walk over one value. It computes digests; the handlers that `find` returns know the parts of each type.

    A part met again gives the digest of the first time, so shared parts cost nothing. A container met again while it
    is still open (a cycle) gives how far up it lies. Walks over several values at one moment may share their digests
    (`known`).
    """

    def __init__(
        self,
        new: New,
        find: Callable[[type], Handler],
        budget_seconds: float | None = None,
        known: Known | None = None,
    ) -> None:
        self.new = new
        self.heads: dict[Any, bytes] = {}  # digests of what begins many records; kept by those who make them
        self._find = find
        self._seconds = budget_seconds
        self._budget = Budget(budget_seconds)
        self._handlers: dict[type, Handler] = {}
        self._open: dict[int, int] = {}
        self._done: Known = {} if known is None else known
        self._within: list[int] = []  # keys of parts whose digest depends on what holds them
        self._low = CLOSED

    def digest(self, value: Any) -> bytes:
        """Return the digest of a value, or raise `OpaqueValueError`."""
        kind = type(value)
        if kind in plain.ATOMS:
            return self.new(_PLAIN + plain.atom(value)).digest()
        leaf = LEAVES.get(kind)
        if leaf is not None:
            return self.new(_LEAF + f"{kind.__name__} {leaf(value)}".encode()).digest()
        key = id(value)
        seen = self._done.get(key)
        if seen is not None:
            if not seen[2]:
                self._low = -1
            return seen[0]
        depth = len(self._open)
        if key in self._open:
            return self._back(depth, self._open[key])
        if depth >= DEEPEST:
            raise OpaqueValueError(f"it is nested deeper than {DEEPEST} levels")
        self.enough()
        outer, self._low = self._low, CLOSED
        self._open[key] = depth
        digest = self._handler(kind)(self, value)
        del self._open[key]
        self._done[key] = (digest, value, self._low >= depth)
        if self._low < depth:
            self._within.append(key)
        self._low = min(outer, self._low if self._low < depth else CLOSED)
        return digest

    def forget(self, part: Any) -> None:
        """Forget the digest of a part that no other object holds, and so free the part's memory."""
        self._done.pop(id(part), None)

    def leave(self) -> None:
        """Remove from the known digests those that depend on where a part lies within this value."""
        for key in self._within:
            self._done.pop(key, None)

    def _back(self, depth: int, at: int) -> bytes:
        self._low = min(self._low, at)
        return self.record(Record.BACK, (depth - at).to_bytes(8, "little"))

    def _handler(self, kind: type) -> Handler:
        handler = self._handlers.get(kind)
        if handler is None:
            handler = self._handlers[kind] = self._find(kind)
        return handler

    def alone(self, value: Any) -> bytes:
        """Return the digest of a set's element; raise `OpaqueValueError` if it refers back to what holds the set."""
        outer, self._low = self._low, CLOSED
        digest = self.digest(value)
        if self._low != CLOSED:
            raise OpaqueValueError("it holds a set whose elements refer back to what holds them")
        self._low = outer
        return digest

    def record(self, record: Record, *parts: bytes) -> bytes:
        """Return the hash of a record of these parts: digests, and at most one run of free bytes at the end."""
        return self.new(PREFIX[record] + b"".join(parts)).digest()

    def stored(self, record: Record, data: bytes) -> bytes:
        """Return the hash of a record of many bytes, which are not copied."""
        hasher = self.new(PREFIX[record])
        hasher.update(data)
        return hasher.digest()

    def made(self, value: Any) -> bytes:
        """Return the digest of data that a handler has built. Plain data is not remembered: it cannot be met again."""
        image = plain.image(value, self.enough)
        return self.digest(value) if image is None else self.stored(Record.PLAIN, image)

    def each(self, record: Record, values: Iterable[Any]) -> bytes:
        """Return the hash of a record of the digests of values, in order."""
        parts = [PREFIX[record]]
        for value in values:
            parts.append(self.digest(value))  # noqa: PERF401 (a comprehension would recurse through one frame more)
        return self.new(b"".join(parts)).digest()

    def stream(self, record: Record, head: Any = None) -> Hasher:
        """Return a hasher that has taken in the record's prefix and the digest of `head`, to be fed bytes."""
        return self.new(PREFIX[record] + self.digest(head))

    def enough(self, seconds: float = 0.0) -> None:
        """Raise `OpaqueValueError` if the budget has run out, or has less than so many seconds left."""
        if self._seconds is not None and self._budget.spent(seconds):
            raise OpaqueValueError(f"it took longer than {self._seconds:g} s")
