"""Global random states as hidden variables: of `random`, `numpy.random` (the legacy global one) and torch."""

from __future__ import annotations

import ctypes
import importlib
import os
import random
import secrets
import sys
from array import array
from collections.abc import Iterable
from typing import Any

from ..hashing import entropy


class Twister:
    """Tells by its memory whether a Mersenne Twister was drawn from: in a microsecond, its state takes 20 to 40.

    The memory does not tell whether a second normal value, drawn with the first, still waits.
    """

    BYTES = 624 * 4 + 4
    """Its words and its position, each of 32 bits."""

    def __init__(self) -> None:
        self._seen: tuple[object, object, Any, bytes] | None = None

    def remember(self, snapshot: object, generator: object, address: int, words: Iterable[int]) -> None:
        """Note a generator's memory for a snapshot of it, if it is laid out as expected: as these words."""
        memory = (ctypes.c_char * self.BYTES).from_address(address)
        held = array("I", words).tobytes()
        self._seen = (snapshot, generator, memory, held) if memory.raw == held else None

    def untouched(self, snapshot: object, generator: object) -> bool:
        """Whether it is the generator of that snapshot, and its memory as it was then."""
        if self._seen is None or snapshot is None:
            return False
        of, owner, memory, held = self._seen
        return of is snapshot and owner is generator and bool(memory.raw == held)


class PythonRandom:
    """`random`: {"version", "internal": 625 ints, "gauss_next"}."""

    library = ""

    HEAD = object.__basicsize__
    """`RandomObject` in Modules/_randommodule.c of CPython: PyObject_HEAD, int index, uint32_t state[624]."""

    def __init__(self) -> None:
        self._twister = Twister()

    def snapshot(self, last: Any) -> Any:
        """Return `last` itself if nothing was drawn since, else the state now."""
        generator: Any = getattr(random.getstate, "__self__", None)
        if self._twister.untouched(last, generator) and generator.gauss_next == last[2]:
            return last
        now = random.getstate()
        if now == last:
            now = last
        if type(generator) is random.Random and random.Random.__basicsize__ >= self.HEAD + Twister.BYTES:
            *key, position = now[1]
            self._twister.remember(now, generator, id(generator) + self.HEAD, [position, *key])
        return now

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        version, internal, gauss = snapshot
        return {"version": version, "internal": list(internal), "gauss_next": gauss}

    def set(self, value: Any) -> None:
        """Make it the state."""
        random.setstate((value["version"], tuple(value["internal"]), value["gauss_next"]))


class NumpyRandom:
    """`numpy.random`: what `numpy.random.get_state(legacy=False)` gives, with lists for arrays."""

    library = "numpy.random"

    def __init__(self) -> None:
        self._twister = Twister()

    def snapshot(self, last: Any) -> Any:
        """Return `last` itself if nothing was drawn since, else the state now."""
        generator: Any = _numpy_generator()
        if self._twister.untouched(last, generator) and (not last["has_gauss"] or self._normal_waits()):
            return last
        now = _plain(sys.modules["numpy.random"].get_state(legacy=False))
        if now == last:
            now = last
        if now["bit_generator"] == "MT19937":
            # `mt19937_state` in numpy/random/src/mt19937/mt19937.h: uint32 key[624]; int pos
            words = [*now["state"]["key"], now["state"]["pos"]]
            self._twister.remember(now, generator, generator.ctypes.state_address, words)
        return now

    def _normal_waits(self) -> bool:
        return bool(sys.modules["numpy.random"].get_state()[3])

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        return snapshot

    def set(self, value: Any) -> None:
        """Make it the state; another bit generator than the present one is put in its place."""
        state: Any = sys.modules["numpy.random"]
        if state.get_state(legacy=False)["bit_generator"] != value["bit_generator"]:
            state.set_bit_generator(getattr(state, value["bit_generator"])())
        if value["bit_generator"] == "MT19937":
            state.set_state(value)
        else:
            state.get_bit_generator().state = _arrays(value)


class NumpyEntropy:
    """`numpy.entropy`: {"key": hex, "drawn": 3}: what numpy's generators are seeded with where no seed is given.

    numpy asks the operating system for it (`secrets.randbits`), and what that gave cannot be had again. So while this
    variable is watched or set, the bits come from a key that the operating system gave once, hashed with a counter
    (BLAKE2b): as good a seed, and one that another process can be given. `RandomState(7)` asks too, and never uses what
    it is given: code that speaks of `RandomState` alone is given the system's bits, and does not count.
    """

    library = "numpy.random"

    def __init__(self) -> None:
        self._key = ""
        self._drawn = 0

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no generator was made without a seed since, else the state now."""
        if not self._key:
            self.set({"key": os.urandom(16).hex(), "drawn": 0})
        now = (self._key, self._drawn)
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        return {"key": snapshot[0], "drawn": snapshot[1]}

    def set(self, value: Any) -> None:
        """Make it the state."""
        self._key, self._drawn = str(value["key"]), int(value["drawn"])
        source: Any = importlib.import_module("numpy.random.bit_generator")
        source.randbits = self.bits

    def bits(self, count: int) -> int:
        """Return so many bits (up to 512) as a number, as `secrets.randbits` does."""
        asking = sys._getframe(1).f_code.co_names
        if "RandomState" in asking and "default_rng" not in asking:
            return secrets.randbits(count)
        self._drawn += 1
        return int.from_bytes(entropy(self._key, self._drawn), "big") >> (512 - count)


def _numpy_generator() -> object:
    """The bit generator behind `numpy.random`'s functions; `get_bit_generator` is public but younger than ours."""
    return sys.modules["numpy.random.mtrand"]._rand._bit_generator


def _plain(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if hasattr(state, "tolist") else state


def _arrays(value: Any) -> Any:
    import numpy as np

    if isinstance(value, dict):
        return {key: _arrays(one) for key, one in value.items()}
    return np.asarray(value, dtype=np.uint64) if isinstance(value, list) else value


class TorchRandom:
    """`torch.random`: the CPU generator's state, a list of bytes."""

    library = "torch"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was drawn since, else the state now."""
        now = sys.modules["torch"].random.get_rng_state().numpy().tobytes()
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        return list(snapshot)

    def set(self, value: Any) -> None:
        """Make it the state."""
        torch: Any = sys.modules["torch"]
        torch.random.set_rng_state(torch.tensor(value, dtype=torch.uint8))
