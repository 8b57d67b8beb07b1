"""Run a pipeline: its steps in order, each taken from the cache or performed as a job of an executor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from ..errors import PipelineError
from ..executors import Executor, open_executor
from ..model.events import SUCCEEDED, ExecutionRequest, Progress, RunResult, StepEvent
from ..model.parameters import as_default, parameter_values
from ..model.pipeline import Pipeline
from ..model.source_digest import as_on_disk
from ..secret_values import KnownSecrets
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
    """Run a pipeline: each step that is not cached, in a process of its own.

    Parameters
    ----------
    parameters : values that differ from the pipeline's defaults.
    run_id : id of the run in the store; a new one if not given.
    data : folder of data files, which is searched before the bundle's own.
    only : run just this step, on cached inputs.
    start : run this step and those after it even if they are cached.
    jobs : how many steps may run at once; the executor's default if not given.
    progress : called with each `StepEvent`, in this process.
    fork : whether steps are forked from this process, which imports their modules, or started as fresh processes.
        None forks where that is safe.
    engine, address : the executor and the address of its cluster, see `executors.open_executor`.

    Raises
    ------
    PipelineError
        The request cannot be met: unknown parameter, missing data file, step that does not exist.
    """
    pipeline = as_on_disk(pipeline, package_folder(pipeline))
    request = ExecutionRequest(pipeline, parameter_values(pipeline, parameters or {}), data, only, start)
    run_id = valid_run(run_id or new_run())
    request.scope()  # raises for a step that does not exist, before any cluster is opened
    with open_executor(engine, address, fork) as executor:
        return _one(request, open_shared_store(store), run_id, executor, jobs, progress or silent)


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
    """Run one step as a task of an orchestrator, on the outputs of earlier steps of the same run.

    A failed step is not retried: that is left to the orchestrator. Parameters that are not given are those of the
    run's record, so that it is enough to give them to its first step.

    Parameters
    ----------
    led, again : see `ExecutionRequest`; with `led`, another process coordinates the run and alone writes its record.
    """
    opened = open_shared_store(store)
    pipeline = as_on_disk(pipeline, package_folder(pipeline), step)
    earlier = (opened.run(valid_run(run_id)) or {}).get("parameters", {})
    defaults = pipeline.parameters
    known = {name: as_default(value, defaults[name]) for name, value in earlier.items() if name in defaults}
    request = ExecutionRequest(
        pipeline,
        parameter_values(pipeline, {**known, **(parameters or {})}),
        data,
        only=step,
        task=True,
        led=led,
        again=again,
    )
    with open_executor("local", fork=fork) as executor:
        return _one(request, opened, run_id, executor, 1, progress or silent)


def open_shared_store(store: Store | str | Path) -> Store:
    """Open a store; raise `PipelineError` for one in memory, which other processes could not read."""
    if str(store).startswith("memory:"):
        raise PipelineError(f"the store {str(store)!r} is this process's own, and steps have theirs: give a folder")
    return store if isinstance(store, Store) else Store(store)


class PipelineRun:
    """One run with its coordinator, from its first record to its last."""

    def __init__(
        self, request: ExecutionRequest, store: Store, run_id: str, attempts: Attempts, progress: Progress
    ) -> None:
        self.id = run_id
        self._request = request
        self._store = store
        self._steps = [step.name for step in request.scope()]
        self._secrets = KnownSecrets.of_environment(request.pipeline.secrets)
        self._rest = ExitStack()
        scratch = self._rest.enter_context(run_records.scratch(store, run_id, self._secrets))
        self.coordinator = RunCoordinator(request, store, run_id, scratch, attempts, progress)
        self._started = time.time()

    def begin(self) -> None:
        """Write the first record of the run; raise `PipelineError` before that if an input or a secret is missing."""
        try:
            self.coordinator.check()
            if not self._request.led:
                self._started = run_records.begin(self._request, self._store, self.id, self._steps)
        except BaseException:
            self._rest.close()
            raise

    def end(self, fault: str = "") -> RunResult:
        """Write the last record of the run; return its result. `fault` says why a run was stopped."""
        ended = self.coordinator.ended if not fault else ()
        with self._rest:
            run_records.mask_logs(self._store, self.id, self._steps, self._secrets)
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
    """Execute runs, `window` of them at a time. On an interrupt, the active runs are recorded as stopped.

    Parameters
    ----------
    coming : the next run is taken when fewer than `window` are active.
    over : called with each run that has ended, and its result.
    """
    active: dict[str, PipelineRun] = {}

    def coordinators() -> Iterator[RunCoordinator]:
        for run in coming:
            run.begin()
            active[run.id] = run
            yield run.coordinator

    def close(coordinator: RunCoordinator) -> None:
        run = active.pop(coordinator.run)
        over(run, run.end())

    try:
        run_all(coordinators(), attempts, window, close)
    except BaseException as stop:
        for run in active.values():
            run.end(str(stop) or "the run was stopped")
        raise


def _one(
    request: ExecutionRequest, store: Store, run_id: str, engine: Executor, jobs: int | None, progress: Progress
) -> RunResult:
    engine.check(request.scope())
    attempts = Attempts(engine, jobs or engine.jobs)
    results: list[RunResult] = []
    run = PipelineRun(request, store, run_id, attempts, progress)
    run_pipelines(iter([run]), attempts, 1, lambda run, result: results.append(result))
    return results[0]


def silent(event: StepEvent) -> None:
    """Ignore a step event: the progress callback of a run that nobody watches."""
