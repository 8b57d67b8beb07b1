"""Look up a step in the cache, and copy a complete entry into the run."""

from __future__ import annotations

import time

from ..model.events import StepStatus
from ..model.pipeline import Pipeline, Step
from ..step.output_names import kept_groups
from ..step.outside_access import is_current
from ..storage.objects import DamagedObjectError
from ..storage.store import Artifact, Facts, Store


class CacheLookup:
    """Looks up cache entries that earlier runs wrote, and copies their files into one run.

    Parameters
    ----------
    run : id of the run that takes from the cache.
    """

    def __init__(self, store: Store, run: str, pipeline: Pipeline) -> None:
        self._store = store
        self._run = run
        self._pipeline = pipeline

    def take(self, step: Step, key: str) -> tuple[Artifact, ...] | None:
        """Copy the cache entry of a step into this run; return its artifacts, or None if the entry is not complete."""
        started = time.time()
        entry = self.look_up(step, key)
        if entry is None or not self._restore(entry, step):
            return None
        names = self._pipeline.delivered(step.name)
        delivered = [output for output in entry["delivered"] if output["name"] in names]
        facts = {"step": step.name, "version": step.version, "key": key, "status": StepStatus.CACHED.value}
        times = {"started": started, "seconds": round(time.time() - started, 6)}
        self._store.set_step(self._run, {**facts, **times, **entry, "delivered": delivered, "error": None})
        return tuple(Artifact.of(output) for output in entry["outputs"])

    def look_up(self, step: Step, key: str) -> Facts | None:
        """Return the cache entry of a key, or None if it lacks a value that this pipeline needs. Writes nothing.

        An entry is not used either if the step was seen to read from the network or the like, or a file that has
        changed since.
        """
        entry = self._store.cached(key)
        if entry is None or not self._covers(entry, step) or not is_current(entry):
            return None
        return None if entry.get("volatile") and not self._pipeline.caches(step) else entry

    def _covers(self, entry: Facts, step: Step) -> bool:
        """Whether a cache entry holds every value that this pipeline needs; an earlier one may have needed fewer."""
        groups = {tuple(one["names"]) for one in entry["outputs"]}
        delivered = {one["name"] for one in entry["delivered"]}
        names = self._pipeline.delivered(step.name)
        return groups.issuperset(kept_groups(self._pipeline, step)) and delivered.issuperset(names)

    def _restore(self, entry: Facts, step: Step) -> bool:
        """Copy outputs, displays and tracking into the run; return False if an object turns out to be damaged."""
        names = self._pipeline.delivered(step.name)
        try:
            for output in entry["delivered"]:
                if output["name"] in names:
                    self._store.write(self._run, f"outputs/{output['file']}", self._store.get(output["digest"]))
            for display in entry.get("displays", ()):
                self._store.write(self._run, f"displays/{display['file']}", self._store.get(display["digest"]))
            if entry["tracking"]:
                self._store.write(self._run, f"tracking/{step.name}.json", self._store.get(entry["tracking"]["digest"]))
        except DamagedObjectError:
            return False
        return True
