"""A store: artifacts by content, what is cached, and the record of every run. The layout is in ARCHITECTURE.md."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import PipelineError
from .backends import open_backend
from .objects import ObjectStore

RESERVED = ("objects", "cache")
"""Names in a store that are no runs."""

Facts = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True)
class Artifact:
    """A group of variables as bytes. `names` share objects; `digest` is BLAKE2b-256 in hex; `bytes` is a length."""

    names: tuple[str, ...]
    digest: str
    format: str
    bytes: int

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Artifact:
        """Read one from its JSON."""
        return cls(tuple(facts["names"]), facts["digest"], facts["format"], facts["bytes"])

    def facts(self) -> Facts:
        """Its JSON."""
        return {**asdict(self), "names": list(self.names)}


def new_run() -> str:
    """Return a run id: the time (UTC, milliseconds) and six random digits; later ids sort later."""
    now = time.time_ns() // 1_000_000
    day = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 1000))
    return f"{day}{now % 1000:03d}-{secrets.token_hex(3)}"


def valid_run(run: str) -> str:
    """Return the id, or raise `PipelineError` if it cannot be the name of a folder in a store."""
    if not re.fullmatch(r"[A-Za-z0-9_][\w.:+@=,-]{0,199}", run, re.ASCII) or run in RESERVED:
        raise PipelineError(
            f"{run!r} is no run id: use letters, digits and _ . : + - (up to 200, not {' or '.join(RESERVED)})"
        )
    return run


class Store:
    """One process's door to a store. Written by several processes at once; every file appears whole."""

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
        """Keep bytes; return their digest."""
        return self._objects.put(data)

    def get(self, key: str) -> bytes:
        """Return the bytes of a digest; raise `DamagedObjectError` if they are not there or not those that were put."""
        return self._objects.get(key)

    def keeps(self, key: str, length: int) -> bool:
        """Whether the bytes of a digest are there in their full length (their content is judged when it is read)."""
        return self._objects.keeps(key, length)

    # What a step made earlier.

    def cached(self, key: str) -> Facts | None:
        """Return what a step with that key made, or None if that is unknown or no longer complete."""
        entry = self._json(f"cache/{key}.json")
        if entry is None or not all(self.keeps(kept["digest"], kept["bytes"]) for kept in _kept(entry)):
            return None
        return entry

    def remember(self, key: str, entry: Facts) -> None:
        """Note what a step with that key made."""
        self._write_json(f"cache/{key}.json", entry)

    # Runs.

    def runs(self) -> list[str]:
        """Return the ids of the runs, in order of time where the ids are ours."""
        return [name for name in self._place.names("") if name not in RESERVED]

    def run(self, run: str) -> Facts | None:
        """Return a run's facts, or None."""
        return self._json(f"{run}/run.json")

    def set_run(self, run: str, facts: Facts) -> None:
        """Write a run's facts."""
        self._write_json(f"{run}/run.json", facts)

    def step(self, run: str, step: str) -> Facts | None:
        """Return a step's record in a run, or None."""
        return self._json(f"{run}/steps/{step}.json")

    def set_step(self, run: str, facts: Facts) -> None:
        """Write a step's record in a run."""
        self._write_json(f"{run}/steps/{facts['step']}.json", facts)

    def artifacts(self, run: str, step: str) -> tuple[Artifact, ...]:
        """Return what a step made in a run; none if it has not ended well."""
        facts = self.step(run, step)
        if facts is None or facts["status"] == "failed":
            return ()
        return tuple(Artifact.of(one) for one in facts["outputs"])

    def forget_step(self, run: str, step: str) -> None:
        """Delete a step's record in a run."""
        self._place.delete(f"{run}/steps/{step}.json")

    def names(self, run: str, folder: str) -> list[str]:
        """Return the names of a run's files in one of its folders."""
        return self._place.names(f"{run}/{folder}")

    def read(self, run: str, path: str) -> bytes:
        """Return a file of a run."""
        return self._place.read(f"{run}/{path}")

    def write(self, run: str, path: str, data: bytes) -> None:
        """Write a file of a run."""
        self._place.write(f"{run}/{path}", data)

    def outputs(self, run: str) -> Facts | None:
        """Return the index of what a run delivered, or None."""
        return self._json(f"{run}/outputs/outputs.json")

    def index(self, run: str) -> Facts:
        """Write `outputs.json` from the records of the steps; return it.

        Steps of one run may end at once in different processes. Each writes its record first and the index after,
        and reads the records once more after writing: so whoever writes last has seen every record.
        """
        entries = self._delivered(run)
        while True:
            index = {"run": run, "outputs": entries}
            self._write_json(f"{run}/outputs/outputs.json", index)
            seen = self._delivered(run)
            if seen == entries:
                return index
            entries = seen

    def _delivered(self, run: str) -> list[Facts]:
        records = (self._json(f"{run}/steps/{name}") for name in self._place.names(f"{run}/steps"))
        good = [facts for facts in records if facts and facts["status"] != "failed"]
        entries: Iterable[Facts] = (entry for facts in good for entry in facts.get("delivered", ()))
        shown = ("name", "file", "format", "fingerprint", "note")
        return sorted(({k: e[k] for k in shown if e.get(k) is not None} for e in entries), key=lambda e: str(e["name"]))

    def _json(self, path: str) -> Facts | None:
        """A file that a loss of power cut short counts as absent."""
        try:
            found = json.loads(self._place.read(path))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _write_json(self, path: str, facts: Facts) -> None:
        self._place.write(path, json.dumps(facts, indent=1).encode())


def _kept(entry: Facts) -> list[Facts]:
    """Every object that a cache entry points to."""
    tracking = entry.get("tracking")
    return [*entry["outputs"], *entry["delivered"], *entry.get("displays", ()), *([tracking] if tracking else [])]
