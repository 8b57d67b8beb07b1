"""A bundle's store: artifacts by digest, cache entries, and the records of runs. ARCHITECTURE.md has its layout."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import PipelineError
from .backends import open_backend
from .objects import ObjectStore
from .record_shapes import is_index, is_run, is_step, lists_objects

RESERVED = ("objects", "cache")
"""Names in a store that are not runs."""

Facts = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True)
class Artifact:
    """A stored group of variables, which share objects. `digest` is BLAKE2b-256 in hex, `bytes` the length in bytes."""

    names: tuple[str, ...]
    digest: str
    format: str
    bytes: int

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Artifact:
        """Return the artifact that a JSON object of `facts` describes."""
        return cls(tuple(facts["names"]), facts["digest"], facts["format"], facts["bytes"])

    def facts(self) -> Facts:
        """Return the artifact as a JSON object."""
        return {**asdict(self), "names": list(self.names)}


def new_run() -> str:
    """Return a new run id: the time (UTC, to the millisecond) and six random hex digits. Later ids sort later."""
    milliseconds = time.time_ns() // 1_000_000
    day = time.strftime("%Y%m%dT%H%M%S", time.gmtime(milliseconds // 1000))
    return f"{day}{milliseconds % 1000:03d}-{secrets.token_hex(3)}"


def valid_run(run: str) -> str:
    """Return a run id; raise `PipelineError` if it cannot be the name of a folder in a store."""
    if not re.fullmatch(r"[A-Za-z0-9_][\w.:+@=,-]{0,199}", run, re.ASCII) or run in RESERVED:
        raise PipelineError(
            f"{run!r} is no run id: use letters, digits and _ . : + - (up to 200, not {' or '.join(RESERVED)})"
        )
    return run


class Store:
    """Reads and writes a store. Several processes may write at once, since every file is written atomically."""

    def __init__(self, uri: str | Path) -> None:
        self.uri = str(uri)
        self._place = open_backend(self.uri)
        self._objects = ObjectStore(self._place, self.uri)

    @property
    def folder(self) -> Path | None:
        """The store's folder, or None if it is not on this machine."""
        return self._place.folder

    # Artifacts.

    def put(self, data: bytes) -> str:
        """Store bytes; return their digest."""
        return self._objects.put(data)

    def get(self, key: str) -> bytes:
        """Return the bytes of a digest; raise `DamagedObjectError` if the object is missing or damaged."""
        return self._objects.get(key)

    def keeps(self, key: str, length: int) -> bool:
        """Whether the object of a digest is stored in its full length, in bytes; its content is checked by `get`."""
        return self._objects.keeps(key, length)

    # Cache entries.

    def cached(self, key: str) -> Facts | None:
        """Return the cache entry of a cache key, or None if it does not exist or one of its objects is missing."""
        entry = self._json(f"cache/{key}.json", lists_objects)
        if entry is None or not all(self.keeps(each["digest"], each["bytes"]) for each in _kept(entry)):
            return None
        return entry

    def remember(self, key: str, entry: Facts) -> None:
        """Write the cache entry of a cache key."""
        self._write_json(f"cache/{key}.json", entry)

    # Runs.

    def runs(self) -> list[str]:
        """Return the ids of the runs, sorted; ids of `new_run` sort by time."""
        return [name for name in self._place.names("") if name not in RESERVED]

    def run(self, run: str) -> Facts | None:
        """Return a run's record, or None if it does not exist."""
        return self._json(f"{run}/run.json", is_run)

    def set_run(self, run: str, facts: Facts) -> None:
        """Write a run's record."""
        self._write_json(f"{run}/run.json", facts)

    def step(self, run: str, step: str) -> Facts | None:
        """Return a step's record in a run, or None if it does not exist."""
        return self._json(f"{run}/steps/{step}.json", is_step)

    def set_step(self, run: str, facts: Facts) -> None:
        """Write a step's record in a run."""
        self._write_json(f"{run}/steps/{facts['step']}.json", facts)

    def artifacts(self, run: str, step: str) -> tuple[Artifact, ...]:
        """Return the artifacts that a step made in a run; an empty tuple unless it succeeded."""
        facts = self.step(run, step)
        if facts is None or facts["status"] == "failed":
            return ()
        return tuple(Artifact.of(output) for output in facts["outputs"])

    def forget_step(self, run: str, step: str) -> None:
        """Delete a step's record in a run."""
        self._place.delete(f"{run}/steps/{step}.json")

    def names(self, run: str, folder: str) -> list[str]:
        """Return the names of the files in a folder of a run."""
        return self._place.names(f"{run}/{folder}")

    def read(self, run: str, path: str) -> bytes:
        """Return the bytes of a file of a run."""
        return self._place.read(f"{run}/{path}")

    def write(self, run: str, path: str, data: bytes) -> None:
        """Write a file of a run."""
        self._place.write(f"{run}/{path}", data)

    def outputs(self, run: str) -> Facts | None:
        """Return the index of a run's delivered outputs (`outputs.json`), or None if it does not exist."""
        return self._json(f"{run}/outputs/outputs.json", is_index)

    def index(self, run: str) -> Facts:
        """Write the index of a run's delivered outputs, `outputs.json`, from the records of its steps; return it.

        Steps of one run may end at once in different processes. Each process writes its record, then the index, and
        then reads the records once more: so the process that writes last has read every record.
        """
        entries = self._delivered(run)
        while True:
            index = {"run": run, "outputs": entries}
            self._write_json(f"{run}/outputs/outputs.json", index)
            latest = self._delivered(run)
            if latest == entries:
                return index
            entries = latest

    def _delivered(self, run: str) -> list[Facts]:
        records = (self._json(f"{run}/steps/{name}", is_step) for name in self._place.names(f"{run}/steps"))
        good = [facts for facts in records if facts and facts["status"] != "failed"]
        entries: Iterable[Facts] = (entry for facts in good for entry in facts.get("delivered", ()))
        shown = ("name", "file", "format", "fingerprint", "digest", "note")
        return sorted(({k: e[k] for k in shown if e.get(k) is not None} for e in entries), key=lambda e: str(e["name"]))

    def _json(self, path: str, is_valid: Callable[[Facts], bool]) -> Facts | None:
        """Return a JSON object, or None if there is no such file, or it was cut short by a loss of power or damaged."""
        try:
            facts = json.loads(self._place.read(path))
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        return facts if isinstance(facts, dict) and is_valid(facts) else None

    def _write_json(self, path: str, facts: Facts) -> None:
        self._place.write(path, json.dumps(facts, indent=1).encode())


def _kept(entry: Facts) -> list[Facts]:
    """Return the facts of every object that a cache entry refers to."""
    tracking = entry.get("tracking")
    return [*entry["outputs"], *entry["delivered"], *entry.get("displays", ()), *([tracking] if tracking else [])]
