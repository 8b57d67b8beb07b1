"""The coordinator of a run: which steps come from the cache, which start next, and how each ended.

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PipelineError
from ..model.backoff import Backoff
from ..model.events import SUCCEEDED, ExecutionRequest, Progress, StepError, StepEvent, StepStatus
from ..model.package_versions import versions
from ..model.pipeline import INITIAL, Step, cache_key
from ..step.initial import Initial
from ..storage.objects import DamagedObjectError
from ..storage.store import Artifact, Store
from .attempts import Attempt, AttemptEnd, Attempts
from .cache_lookup import CacheLookup
from .parameter_files import with_parameter_files

if TYPE_CHECKING:
    from ..step.job import Job

LONGEST_PAUSE_SECONDS = 60.0
"""The longest pause between two attempts at a step, unless its first pause is longer."""

REMAKES = 2
"""How often a step's artifacts are made again in one run where they are damaged: a disk that goes on so is broken."""


def backoff(first: float) -> Backoff:
    """Return the pauses between the attempts at a step, of which the first takes `first` seconds."""
    return Backoff(first, 2, LONGEST_PAUSE_SECONDS)


class RunCoordinator:
    """Coordinates one run to its end. Never runs a step's code itself: the jobs of an executor do.

    Parameters
    ----------
    scratch : folder of working directories, logs and tracking files while the run lasts: the run's own folder, or a
        temporary one if the store is not on this machine.
    progress : called with each `StepEvent`.
    """

    def __init__(
        self, request: ExecutionRequest, store: Store, run: str, scratch: Path, attempts: Attempts, progress: Progress
    ) -> None:
        self.run = run
        self._request = request = with_parameter_files(request)
        self._pipeline = request.pipeline
        self._store = store
        self._scratch = scratch
        self._tell = progress
        self._initial = Initial(request.pipeline, request.data)
        self._cache = CacheLookup(store, run, request.pipeline)
        self._forced = request.forced()
        self._scope = request.scope()
        self._waiting = list(self._scope)
        self._running = attempts
        self._ended: dict[str, StepEvent] = {}
        self._made: dict[str, tuple[Artifact, ...]] = {}
        self._keys: dict[str, str] = {}
        self._missed: set[str] = set()
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._remade: Counter[str] = Counter()

    def check(self) -> None:
        """Raise `PipelineError` if a secret, a data file or a task's input is missing. Called before any step runs."""
        for name in self._pipeline.secrets:
            if name not in os.environ:
                raise PipelineError(f"the environment variable {name!r} is not set: give the pipeline this secret")
        self._initial.check(self._waiting)
        if self._request.task:
            self._take_from_run()

    @property
    def ended(self) -> tuple[StepEvent, ...]:
        """The last event of each step that has ended, in the order of the steps."""
        return tuple(self._ended[step.name] for step in self._scope if step.name in self._ended)

    def next_retry(self) -> float | None:
        """Return when the next pause before a retry ends, on the monotonic clock; None if no step is in a pause."""
        now = time.monotonic()
        pauses = (self._not_before.get(step.name, now) for step in self._waiting)
        return min((pause for pause in pauses if pause > now), default=None)

    def _take_from_run(self) -> None:
        """Read the artifacts that a task takes from the records of this run."""
        step = self._waiting[0]
        for name in step.upstream:
            self._made[name] = self._store.artifacts(self.run, name)
            variables = {variable for artifact in self._made[name] for variable in artifact.names}
            missing = [v for v, maker in step.inputs.items() if maker == name and v not in variables]
            if missing:
                raise PipelineError(
                    f"step {step.name!r} needs {missing[0]!r}: run step {name!r} in run {self.run!r} first"
                )

    def advance(self) -> bool:
        """End each waiting step that is cached or must be skipped; start others while attempts are free.

        Returns whether all steps have ended.
        """
        for step in list(self._waiting):
            if self._running.full and step.name in self._missed:
                continue  # it is not cached, and no attempt is free
            events = [self._ended.get(name) for name in step.upstream if not self._request.task]
            if any(event is not None and event.status not in SUCCEEDED for event in events):
                self._end(step, StepEvent(step.name, StepStatus.SKIPPED))
            elif None in events or time.monotonic() < self._not_before.get(step.name, 0.0):
                continue
            elif self._running.making(self._key(step), self.run):
                continue  # another run executes it: its result will be in the cache
            elif not self._from_cache(step) and not self._running.full:
                self._start(step)
        return len(self._ended) == len(self._scope)

    def _from_cache(self, step: Step) -> bool:
        """Take a step's artifacts from the cache; return whether they were there."""
        if step.name in self._forced or step.name in self._tries:
            return False
        started = time.time()
        artifacts = self._cache.take(step, self._key(step))
        if artifacts is None:
            if self._request.only not in (None, step.name):
                raise PipelineError(
                    f"{self._request.only!r} needs step {step.name!r}, which is not cached: run without --only"
                )
            self._missed.add(step.name)
            return False
        self._made[step.name] = artifacts
        self._end(step, StepEvent(step.name, StepStatus.CACHED, time.time() - started))
        return True

    def _key(self, step: Step) -> str:
        if step.name not in self._keys:
            inputs = {name: self._digest(name, maker) for name, maker in step.inputs.items()}
            packages = versions(step.packages)
            self._keys[step.name] = cache_key(
                step, inputs, self._request.parameters, packages, self._pipeline.environment
            )
        return self._keys[step.name]

    def _digest(self, name: str, maker: str) -> str:
        return self._initial.digest(name) if maker == INITIAL else self._artifact(name, maker).digest

    def _artifact(self, name: str, maker: str) -> Artifact:
        return next(artifact for artifact in self._made[maker] if name in artifact.names)

    def _start(self, step: Step) -> None:
        from ..step.job import Job

        number = self._tries[step.name] = self._tries.get(step.name, max(0, self._request.led - 1)) + 1
        self._tell(StepEvent(step.name, StepStatus.RUNNING))
        job = Job(
            pipeline=self._pipeline,
            step=step,
            store=self._store.uri,
            run=self.run,
            key=self._key(step),
            parameters=self._request.parameters,
            inputs={v: self._artifact(v, maker) for v, maker in step.inputs.items() if maker != INITIAL},
            data=self._request.data and self._request.data.absolute(),
            work=self._scratch / "work",
            tracking=self._scratch / "tracking" / f"{step.name}.json",
            attempt=number,
            again=step.name in self._forced,
        )
        self._running.start(job, self._scratch / "logs" / f"{step.name}.txt")
        self._waiting.remove(step)

    def take_note(self, end: AttemptEnd) -> None:
        """Take in how an attempt ended; a failed step waits for a retry if it has one left."""
        attempt, step, seconds = end.attempt, end.attempt.job.step, time.time() - end.attempt.started
        if end.error is None and not self._is_current(attempt.job):
            self._keys.pop(step.name, None)  # what it took is made again meanwhile, and may be another then
            self._waiting.append(step)
            return
        if end.error is None:
            self._made[step.name] = self._store.artifacts(self.run, step.name)
            self._end(step, StepEvent(step.name, StepStatus.DONE, seconds))
            return
        if end.told:
            error: StepError = (self._store.step(self.run, step.name) or {})["error"]
        else:
            error = end.error
            self._record_failure(attempt, error)
        if error["type"] == DamagedObjectError.__name__ and self._make_again(step):
            self._tell(StepEvent(step.name, StepStatus.RETRYING, seconds, error))
            return
        if attempt.job.attempt > step.retries or self._request.task:
            self._end(step, StepEvent(step.name, StepStatus.FAILED, seconds, error))
            return
        self._not_before[step.name] = time.monotonic() + backoff(step.backoff).pause(attempt.job.attempt)
        self._waiting.insert(0, step)
        self._tell(StepEvent(step.name, StepStatus.RETRYING, seconds, error))

    def _is_current(self, job: Job) -> bool:
        """Say whether a job took the artifacts that its step would take now."""
        return all(name in self._made for name in job.step.upstream) and job.key == self._key(job.step)

    def _make_again(self, step: Step) -> bool:
        """Let the steps run again whose artifacts are gone from the store, and what follows them; say whether any does.

        A step that took such an artifact before it was gone is looked up again: its key tells whether it took the same.
        """
        gone = [name for name in step.upstream if not all(self._kept(artifact) for artifact in self._made[name])]
        if self._request.task or not gone or any(self._remade[name] == REMAKES for name in gone):
            return False
        self._remade.update(gone)
        again = {step.name}.union(*map(self._pipeline.downstream, gone))
        for each in self._scope:
            if each.name in again and (each.name in self._ended or each is step):
                self._store.forget_step(self.run, each.name)
                for known in (self._ended, self._made, self._keys, self._tries):
                    known.pop(each.name, None)
                self._waiting.append(each)
        return True

    def _kept(self, artifact: Artifact) -> bool:
        return self._store.keeps(artifact.digest, artifact.bytes)

    def abandon(self, end: AttemptEnd) -> None:
        """Record that an attempt was stopped, unless a coordinator elsewhere keeps the records of the run."""
        if not self._request.led:
            self._record_failure(end.attempt, end.error or {})

    def _record_failure(self, attempt: Attempt, error: StepError) -> None:
        """Write the record of a step whose job could not write it."""
        step, seconds = attempt.job.step, round(time.time() - attempt.started, 6)
        facts = {"step": step.name, "version": step.version, "key": self._keys[step.name], "status": "failed"}
        times = {"started": attempt.started, "seconds": seconds, "attempt": attempt.job.attempt}
        self._store.set_step(self.run, {**facts, **times, "outputs": [], "error": {"traceback": "", **error}})

    def _end(self, step: Step, event: StepEvent) -> None:
        self._ended[step.name] = event
        if step in self._waiting:
            self._waiting.remove(step)
        self._tell(event)


def run_all(
    coming: Iterator[RunCoordinator], attempts: Attempts, window: int, over: Callable[[RunCoordinator], None]
) -> None:
    """Coordinate runs to their ends, `window` of them at a time. On an interrupt, all their attempts are stopped.

    Parameters
    ----------
    coming : the runs' coordinators; the next one is taken when fewer than `window` runs are active.
    attempts : the running attempts, which all these runs share.
    over : called with the coordinator of each run that has ended.
    """
    active: dict[str, RunCoordinator] = {}
    try:
        while True:
            while len(active) < window and (coordinator := next(coming, None)):
                active[coordinator.run] = coordinator
            if not active:
                return
            ended = [coordinator for coordinator in active.values() if coordinator.advance()]
            for coordinator in ended:
                over(active.pop(coordinator.run))
            if not ended:
                retries = (coordinator.next_retry() for coordinator in active.values())
                attempts.wait(min((retry for retry in retries if retry), default=None))
            for end in attempts.ended():
                active[end.attempt.job.run].take_note(end)
    except BaseException:
        for end in attempts.stop():
            active[end.attempt.job.run].abandon(end)
        raise
