"""The pre-images of a value's fingerprint, which `hashing` hashes. Changing one means raising `FORMAT`.

A pre-image is ``mlops/value/<FORMAT>/<record>\\0`` and the record's payload. Payloads are child digests, which all have
one length, or at most one run of free bytes at the end; so no two different payloads give the same pre-image.
The caller chooses the hash: `hashing.kernel_hasher` or `hashing.default_hasher`. Never `hash()`.
"""

from __future__ import annotations

import struct
from enum import Enum

FORMAT = 1


class Record(Enum):
    """The kinds of pre-image, each with its payload (D(x) is the digest of x)."""

    PLAIN = "plain"
    """`marshal`, version 2, of None, bool, int, float, complex, str, bytes, ..., or list, tuple, dict of these."""
    LEAF = "leaf"
    """Class name, a space, and the text of a date, a timedelta, a Decimal, a UUID."""
    LIST = "list"
    """D of each element in order."""
    TUPLE = "tuple"
    """D of each element in order."""
    DICT = "dict"
    """D(key) D(value) in insertion order, which programs can see."""
    SET = "set"
    """Sorted D of the elements."""
    FROZENSET = "frozenset"
    """Sorted D of the elements."""
    BYTEARRAY = "bytearray"
    """The bytes."""
    MEMORYVIEW = "memoryview"
    """D((format, shape)), then the bytes in C order."""
    BACK = "back"
    """A cycle: how many levels up the container lies that is entered again, 8 bytes little-endian."""
    ARRAY = "array"
    """D((class name, dtype)), how many axes, their lengths (8 bytes each, little-endian), then the bytes in C order
    with one NaN; fields of a record one after another. Buffers of Arrow: D(("buffer", dtype)), then the bytes."""
    OBJECTS = "objects"
    """An array of Python objects: D(what an ARRAY begins with) D(list of the elements in C order)."""
    MASKED = "masked"
    """D(data with masked places zeroed) D(mask) D(fill value)."""
    SCALARS = "scalars"
    """A list of numpy numbers of one type: D(ARRAY of them)."""
    RANDOM = "random"
    """A random source: D(class name) D(state) D(state of its seed sequence)."""
    FRAME = "frame"
    """D(class name) D(index) D(columns) D(attrs) D(flags), D of each column."""
    SERIES = "series"
    """D(class name) D(index) D(name) D(attrs) D(flags) D(column)."""
    INDEX = "index"
    """D((class name, what tells it apart)) D(names) D of each column of labels."""
    COLUMN = "column"
    """An extension column: D(dtype as text) and D of its parts."""
    ARROW = "arrow"
    """D((type, length, has nulls)), D of validity and of each buffer, sliced to the values, and of the children."""
    TABLE = "table"
    """D(class name) D(names) D(metadata), D of each column."""
    SPARSE = "sparse"
    """D((class name, format, shape)) D of each array of the storage."""
    FUNCTION = "function"
    """D(code) D(defaults) D(keyword defaults) D(closure) D(attributes)."""
    CODE = "code"
    """D of what the function does (`code.does`): its name, how many arguments, their names, its instructions."""
    NAMED = "named"
    """D of the words that name it: modules, C functions, classes of installed packages, dtypes."""
    CLASS = "class"
    """A class of the user: D(qualified name) D(names of bases) D(attributes: functions by code)."""
    OBJECT = "object"
    """D(qualified name) D({label: part} of the atoms) D(labels of the other parts), D of each other part."""


PREFIX = {record: f"mlops/value/{FORMAT}/{record.value}".encode() + b"\0" for record in Record}

CANONICAL_NAN = struct.pack("<d", float("nan"))
"""All NaN are hashed as this one: sign and payload of a NaN depend on the processor and the order of a sum."""
