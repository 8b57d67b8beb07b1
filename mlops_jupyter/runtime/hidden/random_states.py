"""Global random states as hidden variables: of `random`, `numpy.random` (the legacy global one) and torch."""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import random
import secrets
import sys
from typing import Any


class PythonRandom:
    """`random`: {"version", "internal": 625 ints, "gauss_next"}."""

    library = ""

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was drawn since, else the state now."""
        now = random.getstate()
        return last if now == last else now

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

    MT19937_BYTES = 624 * 4 + 4
    """`mt19937_state` in numpy/random/src/mt19937/mt19937.h: uint32 key[624]; int pos."""

    def __init__(self) -> None:
        self._seen: tuple[Any, Any, int, bytes] | None = None

    def snapshot(self, last: Any) -> Any:
        """Return `last` itself if nothing was drawn since, else the state now.

        Asking numpy costs 40 microseconds, looking at the generator's memory less than one. The memory does not tell
        whether a second normal value, drawn with the first, still waits; if one did, numpy is asked.
        """
        if last is not None and self._untouched(last):
            return last
        now = _plain(sys.modules["numpy.random"].get_state(legacy=False))
        if now == last:
            now = last
        self._remember(now)
        return now

    def _untouched(self, last: Any) -> bool:
        if self._seen is None:
            return False
        snapshot, generator, address, memory = self._seen
        if snapshot is not last or generator is not _numpy_generator():
            return False
        same = ctypes.string_at(address, self.MT19937_BYTES) == memory
        return same and (not last["has_gauss"] or bool(sys.modules["numpy.random"].get_state()[3]))

    def _remember(self, state: Any) -> None:
        """Note the generator's memory for a snapshot, if it is laid out as expected."""
        self._seen = None
        if state["bit_generator"] != "MT19937":
            return
        generator: Any = _numpy_generator()
        address = generator.ctypes.state_address
        memory = ctypes.string_at(address, self.MT19937_BYTES)
        words = [*state["state"]["key"], state["state"]["pos"]]
        if memory == b"".join(word.to_bytes(4, sys.byteorder) for word in words):
            self._seen = state, generator, address, memory

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
        found = hashlib.blake2b(f"{self._key}:{self._drawn}".encode()).digest()
        return int.from_bytes(found, "big") >> (512 - count)


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
