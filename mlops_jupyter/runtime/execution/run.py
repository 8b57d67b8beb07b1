"""Running a pipeline: steps in order, cached by content, each a job of an engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from ..errors import PipelineError
from ..executors import Executor, open_executor
from ..model.events import SUCCEEDED, Progress, RunRequest, RunResult, StepEvent
from ..model.pipeline import Pipeline
from ..model.source_digest import as_on_disk
from ..step.initial import package_folder
from ..storage.store import Store, new_run, valid_run
from . import run_records
from .attempts import Attempts
from .coordinator import RunCoordinator, run_all


def run(
    pipeline: Pipeline,
    store: Store | str | Path,
    parameters: Mapping[str, object] | None = None,
    run_id: str | None = None,
    data: Path | None = None,
    only: str | None = None,
    start: str | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    fork: bool | None = None,
    engine: str = "local",
    address: str | None = None,
) -> RunResult:
    """Run a pipeline: every step whose result is not known yet, in a process of its own.

    Parameters
    ----------
    parameters : values that differ from the pipeline's defaults.
    run_id : name of the run in the store; a new one if not given.
    data : folder that holds data files; looked at before the bundle's own.
    only : run just this step, on cached inputs.
    start : run this step and those after it even if they are cached.
    jobs : how many steps may run at once; the engine's own number if not given.
    progress : called with each `StepEvent`, in this process.
    fork : whether steps are forked from this process, which imports their modules (where that is safe, the default),
        or started fresh.
    engine, address : who performs the steps, see `engines.opened`.

    Raises
    ------
    PipelineError
        The request cannot be met: unknown parameter, missing data file, step that does not exist.
    """
    pipeline = as_on_disk(pipeline, package_folder(pipeline))
    request = RunRequest(pipeline, parameter_values(pipeline, parameters or {}), data, only, start)
    run_id = valid_run(run_id or new_run())
    request.scope()  # before anything is begun: it may find fault with the request
    with open_executor(engine, address, fork) as performer:
        return _one(request, open_shared_store(store), run_id, performer, jobs, progress or silent)


def run_step(
    pipeline: Pipeline,
    store: Store | str | Path,
    step: str,
    run_id: str,
    parameters: Mapping[str, object] | None = None,
    data: Path | None = None,
    progress: Progress | None = None,
    fork: bool | None = None,
    led: int = 0,
    again: bool = False,
) -> RunResult:
    """Run one step as a task of an orchestrator: its inputs are what the steps before it made in the same run.

    A failure is not tried again: that is the orchestrator's business. Parameters that are not given are those of the
    run, so that it is enough to give them to its first step.

    Parameters
    ----------
    led, again : see `RunRequest`; with `led` another process leads the run and this one leaves its records alone.
    """
    door = open_shared_store(store)
    pipeline = as_on_disk(pipeline, package_folder(pipeline), step)
    earlier = (door.run(valid_run(run_id)) or {}).get("parameters", {})
    known = {name: value for name, value in earlier.items() if name in pipeline.parameters}
    request = RunRequest(
        pipeline,
        parameter_values(pipeline, {**known, **(parameters or {})}),
        data,
        only=step,
        task=True,
        led=led,
        again=again,
    )
    with open_executor("local", fork=fork) as performer:
        return _one(request, door, run_id, performer, 1, progress or silent)


def parameter_values(pipeline: Pipeline, given: Mapping[str, object]) -> dict[str, object]:
    """Return the value of every parameter; raise `PipelineError` for one that the pipeline does not have."""
    for name in given:
        if name not in pipeline.parameters:
            raise PipelineError(f"no parameter {name!r}: the pipeline has {', '.join(pipeline.parameters) or 'none'}")
    return {**pipeline.parameters, **given}


def open_shared_store(store: Store | str | Path) -> Store:
    """Open a store; raise `PipelineError` for one that other processes would not see."""
    if str(store).startswith("memory:"):
        raise PipelineError(f"the store {str(store)!r} is this process's own, and steps have theirs: give a folder")
    return store if isinstance(store, Store) else Store(store)


class PipelineRun:
    """One run from its first record to its last, led by a conductor."""

    def __init__(self, request: RunRequest, store: Store, run_id: str, attempts: Attempts, progress: Progress) -> None:
        self.id = run_id
        self._request = request
        self._store = store
        self._steps = [step.name for step in request.scope()]
        self._rest = ExitStack()
        scratch = self._rest.enter_context(run_records.scratch(store, run_id))
        self.coordinator = RunCoordinator(request, store, run_id, scratch, attempts, progress)
        self._started = time.time()

    def begin(self) -> None:
        """Write the first record, or raise `PipelineError`: then nothing is written."""
        try:
            self.coordinator.check()
            if not self._request.led:
                self._started = run_records.begin(self._request, self._store, self.id, self._steps)
        except BaseException:
            self._rest.close()
            raise

    def end(self, fault: str = "") -> RunResult:
        """Write the last record; return what the run came to."""
        ended = self.coordinator.ended if not fault else ()
        with self._rest:
            index = self._store.index(self.id) if not self._request.led else {"outputs": ()}
            if not self._request.led:
                run_records.merge_tracking(self._store, self.id)
                run_records.end(self._request, self._store, self.id, ended, fault)
        good = not fault and all(event.status in SUCCEEDED for event in ended)
        seconds = time.time() - self._started
        return RunResult(self.id, "succeeded" if good else "failed", seconds, ended, tuple(index["outputs"]))


def run_pipelines(
    coming: Iterator[PipelineRun], attempts: Attempts, window: int, over: Callable[[PipelineRun, RunResult], None]
) -> None:
    """Perform runs, `window` of them at a time. On an interrupt, those under way are noted as stopped.

    Parameters
    ----------
    over : called with each when it has ended.
    """
    open_: dict[str, PipelineRun] = {}

    def conductors() -> Iterator[RunCoordinator]:
        for run in coming:
            run.begin()
            open_[run.id] = run
            yield run.coordinator

    def close(conductor: RunCoordinator) -> None:
        run = open_.pop(conductor.run)
        over(run, run.end())

    try:
        run_all(conductors(), attempts, window, close)
    except BaseException as stop:
        for run in open_.values():
            run.end(str(stop) or "the run was stopped")
        raise


def _one(
    request: RunRequest, store: Store, run_id: str, engine: Executor, jobs: int | None, progress: Progress
) -> RunResult:
    engine.check(request.scope())
    attempts = Attempts(engine, jobs or engine.jobs)
    results: list[RunResult] = []
    run = PipelineRun(request, store, run_id, attempts, progress)
    run_pipelines(iter([run]), attempts, 1, lambda run, result: results.append(result))
    return results[0]


def silent(event: StepEvent) -> None:
    """Nobody is listening."""
