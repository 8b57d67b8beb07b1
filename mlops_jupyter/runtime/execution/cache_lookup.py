"""Taking from the cache: is all there that this pipeline wants, and into the new run with it."""

from __future__ import annotations

import time

from ..model.events import StepStatus
from ..model.pipeline import Pipeline, Step
from ..step.output_names import kept_groups
from ..storage.objects import DamagedObjectError
from ..storage.store import Artifact, Facts, Store


class CacheLookup:
    """What earlier runs made, for one run."""

    def __init__(self, store: Store, run: str, pipeline: Pipeline) -> None:
        self._store = store
        self._run = run
        self._pipeline = pipeline

    def take(self, step: Step, key: str) -> tuple[Artifact, ...] | None:
        """Write into this run what a step with that key made; return its artifacts, None if not all is there."""
        started = time.time()
        entry = self.look_up(step, key)
        if entry is None or not self._restore(entry, step):
            return None
        delivered = [one for one in entry["delivered"] if one["name"] in self._pipeline.delivered(step.name)]
        facts = {"step": step.name, "version": step.version, "key": key, "status": StepStatus.CACHED.value}
        times = {"started": started, "seconds": round(time.time() - started, 6)}
        self._store.set_step(self._run, {**facts, **times, **entry, "delivered": delivered, "error": None})
        return tuple(Artifact.of(one) for one in entry["outputs"])

    def look_up(self, step: Step, key: str) -> Facts | None:
        """Return the cache entry of a key if all that this pipeline wants of the step is there. Writes nothing."""
        entry = self._store.cached(key)
        return entry if entry is not None and self._covers(entry, step) else None

    def _covers(self, entry: Facts, step: Step) -> bool:
        """Whether a cache entry holds all that this pipeline wants: an earlier one may have wanted less."""
        kept = {tuple(one["names"]) for one in entry["outputs"]}
        delivered = {one["name"] for one in entry["delivered"]}
        names = self._pipeline.delivered(step.name)
        return kept.issuperset(kept_groups(self._pipeline, step)) and delivered.issuperset(names)

    def _restore(self, entry: Facts, step: Step) -> bool:
        """Copy outputs, what was shown and what was tracked; False if the bytes turn out to be damaged."""
        names = self._pipeline.delivered(step.name)
        try:
            for one in entry["delivered"]:
                if one["name"] in names:
                    self._store.write(self._run, f"outputs/{one['file']}", self._store.get(one["digest"]))
            for one in entry.get("displays", ()):
                self._store.write(self._run, f"displays/{one['file']}", self._store.get(one["digest"]))
            if entry["tracking"]:
                self._store.write(self._run, f"tracking/{step.name}.json", self._store.get(entry["tracking"]["digest"]))
        except DamagedObjectError:
            return False
        return True
