"""Digests of Arrow's values: equal values give equal digests, whatever the chunks, offsets and unused bytes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from . import arrays, decompose
from .builtin import last_name
from .hash_records import Record
from .walk import Handler, Walk


def handler_for(kind: type) -> Handler:
    """Return the handler for a class of pyarrow's or polars'."""
    if kind.__module__.partition(".")[0] == "polars":
        return _polars if kind.__name__ in ("DataFrame", "Series") else decompose.handler_for(kind)
    import pyarrow as pa

    if issubclass(kind, pa.Table | pa.RecordBatch):
        return table
    if issubclass(kind, pa.ChunkedArray | pa.Array):
        return chunked
    if issubclass(kind, pa.DataType | pa.Field):
        return lambda walk, value: walk.record(Record.NAMED, walk.digest([kind.__name__, str(value)]))
    if issubclass(kind, pa.Scalar):
        return lambda walk, value: walk.each(Record.LIST, [kind.__name__, str(value.type), value.as_py()])
    return decompose.handler_for(kind)


def _polars(walk: Walk, value: Any) -> bytes:
    name = None if type(value).__name__ == "DataFrame" else value.name
    polars = sys.modules["polars"]
    return walk.each(Record.LIST, ["polars", name, value.to_arrow(compat_level=polars.CompatLevel.oldest())])


def table(walk: Walk, value: Any) -> bytes:
    """Return the digest of a table or a record batch by its names, metadata and columns."""
    heads = (last_name(type(value)), value.schema.names, dict(value.schema.metadata or {}))
    columns = [chunked(walk, column) for column in value.columns]
    return walk.record(Record.TABLE, *[walk.digest(head) for head in heads], *columns)


def chunked(walk: Walk, value: Any) -> bytes:
    """Return the digest of an array, in one chunk or many."""
    chunks = getattr(value, "chunks", None)
    return _column(walk, value.type, [value] if chunks is None else chunks)


def _column(walk: Walk, kind: Any, chunks: Sequence[Any]) -> bytes:
    """Return the digest of chunks of one type as if they were one array."""
    import pyarrow as pa

    chunks = [chunk for chunk in chunks if len(chunk)]
    if isinstance(kind, pa.BaseExtensionType):
        inner = _column(walk, kind.storage_type, [chunk.storage for chunk in chunks])
        return walk.record(Record.ARROW, walk.digest(str(kind)), inner)
    if pa.types.is_dictionary(kind):
        inner = _column(walk, kind.value_type, [chunk.dictionary_decode() for chunk in chunks])
        return walk.record(Record.ARROW, walk.digest(str(kind)), inner)
    length, nulls = sum(map(len, chunks)), sum(chunk.null_count for chunk in chunks)
    head = walk.digest((str(kind), length, nulls > 0))
    valid = walk.digest(_valid(chunks)) if nulls else walk.digest(None)
    return walk.record(Record.ARROW, head, valid, *_content(walk, kind, chunks))


def _valid(chunks: Sequence[Any]) -> Any:
    import numpy as np

    return np.concatenate([chunk.is_valid().to_numpy(zero_copy_only=False) for chunk in chunks])


def _content(walk: Walk, kind: Any, chunks: Sequence[Any]) -> list[bytes]:
    import pyarrow as pa

    is_ = pa.types
    if is_.is_null(kind):
        return []
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_binary(kind) or is_.is_large_binary(kind):
        return _texts(walk, [_clear(chunk) for chunk in chunks], kind)
    if is_.is_boolean(kind):
        return _numbers(walk, [chunk.fill_null(False).to_numpy(zero_copy_only=False) for chunk in chunks], "|b1")
    if is_.is_temporal(kind) and not is_.is_interval(kind):
        integer = pa.int64() if kind.bit_width == 64 else pa.int32()
        return _content(walk, integer, [chunk.view(integer) for chunk in chunks])
    if is_.is_floating(kind) or is_.is_integer(kind):
        plain = [(chunk.fill_null(0) if chunk.null_count else chunk).to_numpy() for chunk in chunks]
        return _numbers(walk, plain, plain[0].dtype.str if plain else "")
    if is_.is_struct(kind):
        return [_column(walk, kind.field(n).type, [c.flatten()[n] for c in chunks]) for n in range(kind.num_fields)]
    if is_.is_list(kind) or is_.is_large_list(kind):
        lengths = [chunk.value_lengths().fill_null(0).to_numpy() for chunk in chunks]
        inner = _column(walk, kind.value_type, [chunk.flatten() for chunk in chunks])
        return [*_numbers(walk, [one.astype("i8") for one in lengths], "<i8"), inner]
    whole = [element for chunk in chunks for element in chunk.to_pylist()]
    return [walk.digest(whole)]


def _clear(chunk: Any) -> Any:
    """Return a chunk of text in which nulls take no bytes (Arrow lets any bytes lie under a null)."""
    return chunk.fill_null(b"" if "binary" in str(chunk.type) else "") if chunk.null_count else chunk


def _numbers(walk: Walk, runs: Sequence[Any], dtype: str) -> list[bytes]:
    import numpy as np

    hasher = walk.stream(Record.ARRAY, ("buffer", dtype))
    with np.errstate(all="ignore"):
        for run in runs:
            arrays.feed(hasher, run, walk)
    return [hasher.digest()]


def _texts(walk: Walk, chunks: Sequence[Any], kind: Any) -> list[bytes]:
    """Return the digest of where each text ends, in bytes from the first text's start, and that of all texts' bytes."""
    import numpy as np

    width = np.int64 if "large" in str(kind) else np.int32
    ends, texts, position = [], walk.stream(Record.ARRAY, "text"), 0
    for chunk in chunks:
        _, offsets, data = chunk.buffers()
        marks = np.frombuffer(offsets, dtype=width)[chunk.offset : chunk.offset + len(chunk) + 1]
        first, last = int(marks[0]), int(marks[-1])
        shift = position - first
        if width is np.int32:
            marks = marks.astype(np.int64)
        ends.append(marks[1:] + shift if shift else marks[1:])
        position += last - first
        if last > first:
            walk.enough((last - first) * arrays.SECONDS_PER_BYTE)
            texts.update(memoryview(data)[first:last])
    return [*_numbers(walk, ends, "<i8"), texts.digest()]
