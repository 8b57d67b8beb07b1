"""Global random states as hidden variables: those of `random`, `numpy.random` (the legacy generator) and torch."""

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
    """Sees in the memory of a Mersenne Twister whether it was drawn from: in 1 µs, where its state takes 20 to 40.

    The memory does not show whether the second of two normal values, which are drawn as a pair, is still unused.
    """

    BYTES = 624 * 4 + 4
    """The size of 624 words and the position, of 32 bits each."""

    def __init__(self) -> None:
        self._seen: tuple[object, object, Any, bytes] | None = None

    def remember(self, snapshot: object, generator: object, address: int, words: Iterable[int]) -> None:
        """Remember a generator's memory for a snapshot of it, if the memory at `address` holds `words` as expected."""
        memory = (ctypes.c_char * self.BYTES).from_address(address)
        held = array("I", words).tobytes()
        self._seen = (snapshot, generator, memory, held) if memory.raw == held else None

    def untouched(self, snapshot: object, generator: object) -> bool:
        """Whether the remembered snapshot is of this generator, and the generator's memory has not changed since."""
        if self._seen is None or snapshot is None:
            return False
        seen, owner, memory, held = self._seen
        return seen is snapshot and owner is generator and bool(memory.raw == held)


class PythonRandom:
    """`~random`: {"version", "internal": 625 ints, "gauss_next"}."""

    library = ""

    HEAD = object.__basicsize__
    """Offset in `RandomObject` of CPython's _randommodule.c: PyObject_HEAD, int index, uint32_t state[624]."""

    def __init__(self) -> None:
        self._twister = Twister()

    def snapshot(self, last: Any) -> Any:
        """Return `last` itself if nothing was drawn since, else the current state."""
        generator: Any = getattr(random.getstate, "__self__", None)
        if self._twister.untouched(last, generator) and generator.gauss_next == last[2]:
            return last
        state = random.getstate()
        if state == last:
            state = last
        if type(generator) is random.Random and random.Random.__basicsize__ >= self.HEAD + Twister.BYTES:
            *key, position = state[1]
            self._twister.remember(state, generator, id(generator) + self.HEAD, [position, *key])
        return state

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        version, internal, gauss = snapshot
        return {"version": version, "internal": list(internal), "gauss_next": gauss}

    def set(self, value: Any) -> None:
        """Restore a state."""
        random.setstate((value["version"], tuple(value["internal"]), value["gauss_next"]))


class NumpyRandom:
    """`~numpy.random`: the result of `numpy.random.get_state(legacy=False)`, with lists for arrays."""

    library = "numpy.random"

    def __init__(self) -> None:
        self._twister = Twister()

    def snapshot(self, last: Any) -> Any:
        """Return `last` itself if nothing was drawn since, else the current state."""
        generator: Any = _numpy_generator()
        if self._twister.untouched(last, generator) and (not last["has_gauss"] or self._normal_waits()):
            return last
        state = _plain(sys.modules["numpy.random"].get_state(legacy=False))
        if state == last:
            state = last
        if state["bit_generator"] == "MT19937":
            # `mt19937_state` in numpy/random/src/mt19937/mt19937.h: uint32 key[624]; int pos
            words = [*state["state"]["key"], state["state"]["pos"]]
            self._twister.remember(state, generator, generator.ctypes.state_address, words)
        return state

    def _normal_waits(self) -> bool:
        return bool(sys.modules["numpy.random"].get_state()[3])

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        return snapshot

    def set(self, value: Any) -> None:
        """Restore a state; replace the bit generator if it is of another kind."""
        module: Any = sys.modules["numpy.random"]
        if module.get_state(legacy=False)["bit_generator"] != value["bit_generator"]:
            module.set_bit_generator(getattr(module, value["bit_generator"])())
        if value["bit_generator"] == "MT19937":
            module.set_state(value)
        else:
            module.get_bit_generator().state = _arrays(value)


class NumpyEntropy:
    """`~numpy.entropy`: {"key": hex, "drawn": 3}, the entropy that seeds numpy's generators made without a seed.

    numpy takes that entropy from the operating system (`secrets.randbits`), which cannot give it again. So while this
    variable is watched or set, the bits are a hash (BLAKE2b) of a key, drawn once from the operating system, and of a
    counter: as good a seed, and one that another process can repeat. `RandomState(7)` asks for entropy too but never
    uses it: code that names `RandomState` and not `default_rng` gets the system's bits, which are not counted.
    """

    library = "numpy.random"

    def __init__(self) -> None:
        self._key = ""
        self._drawn = 0

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no generator was made without a seed since, else the current key and counter."""
        if not self._key:
            self.set({"key": os.urandom(16).hex(), "drawn": 0})
        now = (self._key, self._drawn)
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        return {"key": snapshot[0], "drawn": snapshot[1]}

    def set(self, value: Any) -> None:
        """Restore a state."""
        self._key, self._drawn = str(value["key"]), int(value["drawn"])
        source: Any = importlib.import_module("numpy.random.bit_generator")
        source.randbits = self.bits

    def bits(self, count: int) -> int:
        """Return an integer of `count` random bits (at most 512), in place of `secrets.randbits`."""
        names = sys._getframe(1).f_code.co_names
        if "RandomState" in names and "default_rng" not in names:
            return secrets.randbits(count)
        self._drawn += 1
        return int.from_bytes(entropy(self._key, self._drawn), "big") >> (512 - count)


def _numpy_generator() -> object:
    """Return the bit generator of `numpy.random`'s functions; old versions of numpy have no `get_bit_generator`."""
    return sys.modules["numpy.random.mtrand"]._rand._bit_generator


def _plain(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if hasattr(state, "tolist") else state


def _arrays(value: Any) -> Any:
    import numpy as np

    if isinstance(value, dict):
        return {key: _arrays(part) for key, part in value.items()}
    return np.asarray(value, dtype=np.uint64) if isinstance(value, list) else value


class TorchRandom:
    """`~torch.random`: the state of the CPU generator, as a list of bytes."""

    library = "torch"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was drawn since, else the current state."""
        now = sys.modules["torch"].random.get_rng_state().numpy().tobytes()
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return a snapshot as JSON."""
        return list(snapshot)

    def set(self, value: Any) -> None:
        """Restore a state."""
        torch: Any = sys.modules["torch"]
        torch.random.set_rng_state(torch.tensor(value, dtype=torch.uint8))
