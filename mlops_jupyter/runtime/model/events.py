"""The words in which a run speaks: what was asked, what happens to a step, what it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..storage.store import Facts
from .pipeline import Pipeline, Step, order


class StepStatus(Enum):
    """What became of a step."""

    RUNNING = "running"  # a child is about to begin with it
    DONE = "done"  # it ran and its values are kept
    CACHED = "cached"  # its values were there already
    FAILED = "failed"  # it raised, was killed, or took too long
    RETRYING = "retrying"  # it failed and will be tried again
    SKIPPED = "skipped"  # a step before it failed, or the run was stopped


SUCCEEDED = (StepStatus.DONE, StepStatus.CACHED)

FAILED = 1
"""Exit code of a step's process that failed and has said why in its record."""


StepError = Mapping[str, str]
"""Of a step that failed: {"type", "message", "traceback"}, as in its record."""


@dataclass(frozen=True)
class StepEvent:
    """Something happened to a step."""

    step: str
    status: StepStatus
    seconds: float = 0.0
    error: StepError | None = None


@dataclass(frozen=True)
class RunResult:
    """What a run came to. `status` is "succeeded" or "failed"; `outputs` are the entries of outputs.json."""

    run: str
    status: str
    seconds: float
    steps: tuple[StepEvent, ...]
    outputs: tuple[Facts, ...]


@dataclass(frozen=True)
class RunRequest:
    """What was asked of the engine.

    Attributes
    ----------
    parameters : values of all the pipeline's parameters.
    only : a step to run alone, on cached inputs.
    start : a step to run with those after it, cached or not.
    task : `only` takes what the steps before it made in this very run, and is not tried again.
    led : of a task, which try it is of those that a run elsewhere makes, which also keeps the run's records.
    again : of a task, run even if it is cached.
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
        """Return the steps to look at, in order. Raises `PipelineError` for a step that does not exist."""
        steps = order(self.pipeline)
        if self.only is None:
            return steps
        needed = {self.pipeline.step(self.only).name}
        for step in reversed(() if self.task else steps):
            if step.name in needed:
                needed.update(step.upstream)
        return tuple(step for step in steps if step.name in needed)

    def forced(self) -> frozenset[str]:
        """Return the names of the steps that are run even if they are cached."""
        always = {step.name for step in self.pipeline.steps if step.always}
        if self.only is not None:
            return frozenset(always if self.task and not self.again else {self.only})
        if self.start is not None:
            return self.pipeline.downstream(self.pipeline.step(self.start).name) | always
        return frozenset(always)


Progress = Callable[[StepEvent], None]
