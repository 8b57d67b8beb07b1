"""The request, the step events and the result of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..storage.store import Facts
from .pipeline import Pipeline, Step, order


class StepStatus(Enum):
    """The status of a step in a run."""

    RUNNING = "running"  # its process is about to start
    DONE = "done"  # it ran, and its values are in the store
    CACHED = "cached"  # its values were taken from the cache
    FAILED = "failed"  # it raised, was killed, or took too long
    RETRYING = "retrying"  # it failed and will be retried
    SKIPPED = "skipped"  # a step before it failed, or the run was stopped


SUCCEEDED = (StepStatus.DONE, StepStatus.CACHED)

FAILED = 1
"""Exit code of a step's process that failed and wrote its error into the step's record."""


StepError = Mapping[str, str]
"""The error of a failed step, as in its record: {"type", "message", "traceback"}."""


@dataclass(frozen=True)
class StepEvent:
    """A change of a step's status. `seconds` is how long it ran, `error` is given if it failed."""

    step: str
    status: StepStatus
    seconds: float = 0.0
    error: StepError | None = None


@dataclass(frozen=True)
class RunResult:
    """The result of a run. `status` is "succeeded" or "failed"; `outputs` are the entries of outputs.json."""

    run: str
    status: str
    seconds: float
    steps: tuple[StepEvent, ...]
    outputs: tuple[Facts, ...]


@dataclass(frozen=True)
class ExecutionRequest:
    """A request to run a pipeline, or one step of it.

    Attributes
    ----------
    parameters : values of all the pipeline's parameters.
    data : folder of data files that is searched before the bundle's own, or None.
    only : name of a step to run alone, on cached inputs.
    start : name of a step to run with all steps downstream of it, cached or not.
    task : whether `only` is a task of an orchestrator: it takes the outputs of earlier steps from the records of this
        run, and is not retried.
    led : for a task whose run is coordinated by another process, which also writes the run's record: the number of
        this attempt, from 1. Otherwise 0.
    again : whether a task runs even if it is cached.
    """

    pipeline: Pipeline
    parameters: Mapping[str, object]
    data: Path | None = None
    only: str | None = None
    start: str | None = None
    task: bool = False
    led: int = 0
    again: bool = False

    def scope(self) -> tuple[Step, ...]:
        """Return the steps that the run covers, in order. Raises `PipelineError` for a step that does not exist."""
        steps = order(self.pipeline)
        if self.only is None:
            return steps
        needed = {self.pipeline.step(self.only).name}
        for step in reversed(() if self.task else steps):
            if step.name in needed:
                needed.update(step.upstream)
        return tuple(step for step in steps if step.name in needed)

    def forced(self) -> frozenset[str]:
        """Return the names of the steps that run even if they are cached."""
        caches = self.pipeline.caches
        always = {s.name for s in self.pipeline.steps if s.always or (s.volatile and not caches(s))}
        if self.only is not None:
            return frozenset(always if self.task and not self.again else {self.only})
        if self.start is not None:
            return self.pipeline.downstream(self.pipeline.step(self.start).name) | always
        return frozenset(always)


Progress = Callable[[StepEvent], None]
"""A callback for step events."""
