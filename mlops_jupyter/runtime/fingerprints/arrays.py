"""Digests of numpy's values: arrays by dtype, shape and bytes in C order, at about the speed of reading memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ..hashing import Hasher
from . import decompose
from .builtin import last_name
from .hash_records import PREFIX, Record
from .walk import Handler, Walk

CHUNK = 1 << 19
"""Bytes searched for NaN and then hashed while they are still in the processor's cache."""
SMALL = 1 << 16
"""Bytes that are hashed in one go."""
SECONDS_PER_BYTE = 2e-11
"""The least time that hashing a byte takes, in seconds; an array that cannot be read within the budget is not begun."""
THREADED_BYTES = 1 << 23
"""Bytes from which a second thread is worth its start."""


def handler_for(kind: type) -> Handler:
    """Return the handler for a class of numpy's, or derived from one."""
    import numpy as np

    if issubclass(kind, np.ma.MaskedArray):
        return masked
    if issubclass(kind, np.ndarray):
        return array if kind in (np.ndarray, np.memmap, np.matrix, np.recarray) else _subclass
    if issubclass(kind, np.generic):
        return array
    if issubclass(kind, np.dtype):
        return lambda walk, value: walk.record(Record.NAMED, walk.digest(["dtype", dtype_image(value)]))
    if issubclass(kind, np.random.Generator):
        return lambda walk, value: walk.each(Record.RANDOM, [kind.__name__, value.bit_generator])
    if issubclass(kind, np.random.RandomState):
        return lambda walk, value: walk.each(Record.RANDOM, [kind.__name__, decompose.state_of(value)])
    if issubclass(kind, np.random.BitGenerator):
        return _bit_generator
    if issubclass(kind, np.ufunc):
        return lambda walk, value: walk.record(Record.NAMED, walk.digest(["function", value.__name__]))
    return decompose.handler_for(kind)


def _bit_generator(walk: Walk, value: Any) -> bytes:
    seed = getattr(value, "seed_seq", None)
    return walk.each(Record.RANDOM, [type(value).__name__, value.state, getattr(seed, "state", None)])


def array(walk: Walk, value: Any) -> bytes:
    """Return the digest of an array or a numpy scalar."""
    import numpy as np

    if isinstance(value, np.generic):
        value, name = np.asarray(value), "scalar"
    else:
        name = "ndarray" if type(value) is np.memmap else last_name(type(value))
    walk.enough(value.nbytes * SECONDS_PER_BYTE)
    head = _head(walk, name, value.dtype, value.shape)
    if value.dtype.kind in "OT":
        return walk.record(Record.OBJECTS, walk.digest(head), walk.digest(np.asarray(value).ravel().tolist()))
    small = _small(value) if value.nbytes <= SMALL else None
    if small is not None:
        return walk.new(PREFIX[Record.ARRAY] + head + small).digest()
    hasher = walk.new(PREFIX[Record.ARRAY] + head)
    with np.errstate(all="ignore"):
        feed(hasher, np.asarray(value), walk)
    return hasher.digest()


def _small(value: Any) -> bytes | None:
    """Return the bytes of a small array that `feed` would hash, in few calls; None if only `feed` can do it."""
    dtype = value.dtype
    if dtype.names is not None:
        fields = [_small(value[name]) for name in dtype.names]
        return None if None in fields else b"".join(fields)  # type: ignore[arg-type]
    if dtype.hasobject:
        return None
    if dtype.kind in "fc" and value.size:
        if dtype.itemsize > (8 if dtype.kind == "f" else 16):
            return None
        if (top := value.max()) != top:  # it is a NaN if there is one
            return _with_one_nan(value)
    return bytes(value.tobytes())


def _with_one_nan(value: Any) -> bytes | None:
    import numpy as np

    if value.dtype.kind == "c" or not value.dtype.isnative:
        return None
    return bytes(np.where(value == value, value, value.dtype.type(np.nan)).tobytes())


def _head(walk: Walk, name: str, dtype: Any, shape: tuple[int, ...]) -> bytes:
    kind = walk.heads.get((name, dtype))
    if kind is None:
        kind = walk.heads[name, dtype] = walk.digest((name, dtype_image(dtype)))
    return kind + struct.pack(f"<{len(shape) + 1}q", len(shape), *shape)


def _subclass(walk: Walk, value: Any) -> bytes:
    import numpy as np

    return walk.each(Record.OBJECT, [last_name(type(value)), np.asarray(value), getattr(value, "__dict__", None)])


def masked(walk: Walk, value: Any) -> bytes:
    """Return the digest of a masked array, in which values under the mask do not count."""
    import numpy as np

    data, mask = np.ma.getdata(value), np.ma.getmaskarray(value)
    if mask.dtype.names is None and mask.any():
        data = data.copy()
        data[mask] = np.zeros((), data.dtype)
    return walk.each(Record.MASKED, [data, mask, value.fill_value])


def dtype_image(dtype: Any) -> Any:
    """Return a dtype as plain data: byte order, kind and size; names and types of fields, not their padding."""
    if dtype.subdtype is not None:
        return (dtype_image(dtype.subdtype[0]), dtype.shape)
    if dtype.names is not None:
        return tuple((name, dtype_image(dtype.fields[name][0])) for name in dtype.names)
    return str(dtype) if dtype.kind == "T" else dtype.str


def feed(hasher: Hasher, value: Any, walk: Walk) -> None:
    """Feed a hasher an array's bytes in C order, every NaN with the same bits. Callers silence numpy's errstate."""
    if value.dtype.names is not None:
        for name in value.dtype.names:
            if value.dtype.fields[name][0].hasobject:
                hasher.update(walk.digest(value[name]))
            else:
                feed(hasher, value[name], walk)
        return
    for run in runs(value):
        step = max(1, CHUNK // max(1, run.itemsize))
        for start in range(0, run.size, step):
            walk.enough()
            hasher.update(canonical(run[start : start + step]))


def runs(value: Any) -> Iterator[Any]:
    """Cut an array into one-dimensional runs that lie in memory one after another, copying a little at a time.

    A run is valid until the next one is requested, because its buffer is used again.
    """
    import numpy as np

    if value.itemsize == 0 or value.size == 0:
        return
    if value.flags.c_contiguous:
        yield value.reshape(-1)
        return
    whole = value.nbytes // value.shape[0]
    if whole > 16 * CHUNK:
        for row in value:
            yield from runs(row)
        return
    step = min(max(1, 4 * CHUNK // max(1, whole)), value.shape[0])
    copied = np.empty((step, *value.shape[1:]), value.dtype)  # one for all: fresh memory costs more than the copying
    for start in range(0, value.shape[0], step):
        part = value[start : start + step]
        np.copyto(copied[: len(part)], part)
        yield copied[: len(part)].reshape(-1)


def canonical(run: Any) -> Any:
    """Return a one-dimensional run of numbers as a buffer to hash, with one kind of NaN and no padding; maybe `run`."""
    import numpy as np

    kind = run.dtype.kind
    if kind == "c":
        return canonical(run.view(run.real.dtype))
    if kind == "f":
        top = np.maximum.reduce(run)  # a NaN if there is one, and somewhat quicker than a sum
        if top != top and _unusual(run):
            run = run.copy()
            run[run != run] = np.nan
        return run.view(np.uint8).reshape(-1, 16)[:, :10].tobytes() if run.itemsize == 16 else run
    return run if kind in "biu" else run.view(np.uint8)


def _unusual(run: Any) -> bool:
    """Return whether a run holds a NaN with unusual bits. Counting NaN is quicker than picking them out."""
    import numpy as np

    if run.itemsize == 16:
        return True
    bits = run.view(f"{run.dtype.str[0]}u{run.itemsize}")
    usual = np.array(np.nan, run.dtype).view(bits.dtype)
    return bool(np.count_nonzero(run != run) != np.count_nonzero(bits == usual))


def rows(walk: Walk, block: Any) -> list[bytes]:
    """Return the digest of each row of a two-dimensional array of numbers, as `array` gives it for that row alone.

    Rows that do not lie in one piece (a frame made from a matrix) are read tile by tile, not one by one.
    """
    if block.dtype.kind not in "biufcmM" or block.itemsize == 16:
        return [array(walk, row) for row in block]
    head = PREFIX[Record.ARRAY] + _head(walk, "ndarray", block.dtype, block.shape[1:])
    hashers = [walk.new(head) for _ in block]
    if block.nbytes < THREADED_BYTES or len(block) < 2:
        _feed_rows(hashers, block, walk)
    else:  # hashing and copying release the interpreter's lock
        from concurrent.futures import ThreadPoolExecutor

        middle = len(block) // 2
        with ThreadPoolExecutor(1) as pool:
            half = pool.submit(_feed_rows, hashers[middle:], block[middle:], walk)
            _feed_rows(hashers[:middle], block[:middle], walk)
            half.result()
    return [hasher.digest() for hasher in hashers]


def _feed_rows(hashers: list[Hasher], block: Any, walk: Walk) -> None:
    import numpy as np

    with np.errstate(all="ignore"):
        if block.flags.c_contiguous:
            for hasher, row in zip(hashers, block, strict=True):
                feed(hasher, row, walk)
        else:
            _feed_tiles(hashers, block, walk)


def _feed_tiles(hashers: list[Hasher], block: Any, walk: Walk) -> None:
    import numpy as np

    step = max(64, 4 * CHUNK // max(1, block.itemsize * len(block)))
    for start in range(0, block.shape[1], step):
        walk.enough()
        tile = np.ascontiguousarray(block[:, start : start + step])
        for hasher, row in zip(hashers, tile, strict=True):
            hasher.update(canonical(row))
