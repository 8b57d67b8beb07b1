"""One run of a pipeline: which step is next, what is known already, what its children came to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import PipelineError
from ..model.backoff import Backoff
from ..model.events import SUCCEEDED, Progress, RunRequest, StepError, StepEvent, StepStatus
from ..model.package_versions import versions
from ..model.pipeline import INITIAL, Step, cache_key
from ..step.initial import Initial, package_folder
from ..storage.store import Artifact, Store
from .attempts import Attempt, AttemptEnd, Attempts
from .cache_lookup import CacheLookup

LONGEST_PAUSE_SECONDS = 60.0
"""A pause between two tries that has grown to this grows no more."""


def backoff(first: float) -> Backoff:
    """Return the pauses between the tries of a step whose first pause has so many seconds."""
    return Backoff(first, 2, LONGEST_PAUSE_SECONDS)


class RunCoordinator:
    """Leads one run to its end. Never runs a step's code itself: an engine's jobs do.

    `scratch` is where working directories, logs and tracking files lie while the run lasts: the run's own folder, or a
    temporary one if the store is not on this machine.
    """

    def __init__(
        self, request: RunRequest, store: Store, run: str, scratch: Path, attempts: Attempts, progress: Progress
    ) -> None:
        self.run = run
        self._request = request
        self._pipeline = request.pipeline
        self._store = store
        self._scratch = scratch
        self._tell = progress
        self._initial = Initial(package_folder(request.pipeline), request.data)
        self._recall = CacheLookup(store, run, request.pipeline)
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

    def check(self) -> None:
        """Raise `PipelineError` if a secret, a data file or a task's input is missing, before anything is run."""
        for name in self._pipeline.secrets:
            if name not in os.environ:
                raise PipelineError(f"the environment variable {name!r} is not set: give the pipeline this secret")
        self._initial.check(self._waiting)
        if self._request.task:
            self._take_from_run()

    @property
    def ended(self) -> tuple[StepEvent, ...]:
        """How each step ended, of those that did."""
        return tuple(self._ended[step.name] for step in self._scope if step.name in self._ended)

    def next_retry(self) -> float | None:
        """When the next pause ends; those that are over wait for room, not for time."""
        now = time.monotonic()
        pauses = (self._not_before.get(step.name, now) for step in self._waiting)
        return min((pause for pause in pauses if pause > now), default=None)

    def _take_from_run(self) -> None:
        """Take the inputs of a task from the records of this run."""
        step = self._waiting[0]
        for name in step.upstream:
            self._made[name] = self._store.artifacts(self.run, name)
            made = {variable for artifact in self._made[name] for variable in artifact.names}
            missing = [v for v, maker in step.inputs.items() if maker == name and v not in made]
            if missing:
                raise PipelineError(
                    f"step {step.name!r} needs {missing[0]!r}: run step {name!r} in run {self.run!r} first"
                )

    def advance(self) -> bool:
        """Settle every step whose fate is known; start as many of the others as there is room for.

        Returns whether all have ended.
        """
        for step in list(self._waiting):
            if self._running.full and step.name in self._missed:
                continue  # it may begin, but there is no room
            fates = [self._ended.get(name) for name in step.upstream if not self._request.task]
            if any(fate is not None and fate.status not in SUCCEEDED for fate in fates):
                self._end(step, StepEvent(step.name, StepStatus.SKIPPED))
            elif None in fates or time.monotonic() < self._not_before.get(step.name, 0.0):
                continue
            elif self._running.making(self._key(step), self.run):
                continue  # it will be in the cache
            elif not self._from_cache(step) and not self._running.full:
                self._start(step)
        return len(self._ended) == len(self._scope)

    def _from_cache(self, step: Step) -> bool:
        """Take what a step made earlier, if that is known and whole."""
        if step.name in self._forced or step.name in self._tries:
            return False
        began = time.time()
        made = self._recall.take(step, self._key(step))
        if made is None:
            if self._request.only not in (None, step.name):
                raise PipelineError(
                    f"{self._request.only!r} needs step {step.name!r}, which is not cached: run without --only"
                )
            self._missed.add(step.name)
            return False
        self._made[step.name] = made
        self._end(step, StepEvent(step.name, StepStatus.CACHED, time.time() - began))
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
        """Note how an attempt ended; have it tried again if its step allows."""
        attempt, step, seconds = end.attempt, end.attempt.job.step, time.time() - end.attempt.started
        if end.error is None:
            self._made[step.name] = self._store.artifacts(self.run, step.name)
            self._end(step, StepEvent(step.name, StepStatus.DONE, seconds))
            return
        if end.told:
            error: StepError = (self._store.step(self.run, step.name) or {})["error"]
        else:
            error = end.error
            self._record_failure(attempt, error)
        if attempt.job.attempt > step.retries or self._request.task:
            self._end(step, StepEvent(step.name, StepStatus.FAILED, seconds, error))
            return
        self._not_before[step.name] = time.monotonic() + backoff(step.backoff).pause(attempt.job.attempt)
        self._waiting.insert(0, step)
        self._tell(StepEvent(step.name, StepStatus.RETRYING, seconds, error))

    def abandon(self, end: AttemptEnd) -> None:
        """Note that an attempt was stopped; if the run is kept elsewhere, whoever does that knows."""
        if not self._request.led:
            self._record_failure(end.attempt, end.error or {})

    def _record_failure(self, attempt: Attempt, error: StepError) -> None:
        """Write the record of a job that could not write its own."""
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
    """Lead runs to their ends, `window` of them at a time; on an interrupt no job is left behind.

    Parameters
    ----------
    coming : each is asked for when there is room for it.
    over : called with each run that has ended.
    """
    led: dict[str, RunCoordinator] = {}
    try:
        while True:
            while len(led) < window and (conductor := next(coming, None)):
                led[conductor.run] = conductor
            if not led:
                return
            settled = [conductor for conductor in led.values() if conductor.advance()]
            for conductor in settled:
                over(led.pop(conductor.run))
            if not settled:
                attempts.wait(min((pause for each in led.values() if (pause := each.next_retry())), default=None))
            for end in attempts.ended():
                led[end.attempt.job.run].take_note(end)
    except BaseException:
        for end in attempts.stop():
            led[end.attempt.job.run].abandon(end)
        raise
