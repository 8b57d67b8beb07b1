"""The local engine: steps in order, cached by content, each in a process of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .conductor import Conductor
from .events import GOOD, Event, Progress, Request, Result
from .faults import Fault
from .initial import package_folder
from .pipeline import Pipeline
from .runs import Facts, Store, new_run, valid_run
from .sources import as_it_lies

JOBS = max(2, min(4, os.cpu_count() or 1))
"""How many steps run at once: steps that wait (for a disk, a server) leave even one processor to others."""


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
) -> Result:
    """Run a pipeline: every step whose result is not known yet, in a process of its own.

    Parameters
    ----------
    parameters : values that differ from the pipeline's defaults.
    run_id : name of the run in the store; a new one if not given.
    data : folder that holds data files; looked at before the bundle's own.
    only : run just this step, on cached inputs.
    start : run this step and those after it even if they are cached.
    jobs : how many steps may run at once; `JOBS` if not given.
    progress : called with each `Event`, in this process.
    fork : whether steps are forked from this process, which imports their modules (where that is safe, the default),
        or started fresh.

    Raises
    ------
    Fault
        The request cannot be met: unknown parameter, missing data file, step that does not exist.
    """
    pipeline = as_it_lies(pipeline, package_folder(pipeline))
    request = Request(pipeline, values(pipeline, parameters or {}), data, only, start)
    return _run(request, _opened(store), valid_run(run_id or new_run()), jobs or JOBS, progress, fork)


def run_step(
    pipeline: Pipeline,
    store: Store | str | Path,
    step: str,
    run_id: str,
    parameters: Mapping[str, object] | None = None,
    data: Path | None = None,
    progress: Progress | None = None,
    fork: bool | None = None,
) -> Result:
    """Run one step as a task of an orchestrator: its inputs are what the steps before it made in the same run.

    A failure is not tried again: that is the orchestrator's business. Parameters that are not given are those of the
    run, so that it is enough to give them to its first step.
    """
    opened = _opened(store)
    pipeline = as_it_lies(pipeline, package_folder(pipeline), step)
    earlier = (opened.run(valid_run(run_id)) or {}).get("parameters", {})
    known = {name: value for name, value in earlier.items() if name in pipeline.parameters}
    request = Request(pipeline, values(pipeline, {**known, **(parameters or {})}), data, only=step, task=True)
    return _run(request, opened, run_id, 1, progress, fork)


def values(pipeline: Pipeline, given: Mapping[str, object]) -> dict[str, object]:
    """Return the value of every parameter; raise `Fault` for one that the pipeline does not have."""
    for name in given:
        if name not in pipeline.parameters:
            raise Fault(f"no parameter {name!r}: the pipeline has {', '.join(pipeline.parameters) or 'none'}")
    return {**pipeline.parameters, **given}


def _opened(store: Store | str | Path) -> Store:
    return store if isinstance(store, Store) else Store(store)


def _run(
    request: Request, store: Store, run_id: str, jobs: int, progress: Progress | None, fork: bool | None
) -> Result:
    steps = request.scope()  # before anything is written: it may find fault with the request
    with _scratch(store, run_id) as scratch:
        conductor = Conductor(request, store, run_id, scratch, jobs, progress or _silent, _may_fork(fork))
        conductor.check()
        started = _begin(request, store, run_id, [step.name for step in steps])
        ended: tuple[Event, ...] = ()
        fault = ""
        try:
            ended = conductor.go()
        except BaseException as stop:
            fault = str(stop) or "the run was stopped"
            raise
        finally:
            outputs = tuple(store.index(run_id)["outputs"])
            _merge_tracking(store, run_id)
            _end(request, store, run_id, ended, fault)
    good = all(event.status in GOOD for event in ended)
    return Result(run_id, "succeeded" if good else "failed", time.time() - started, ended, outputs)


def _silent(event: Event) -> None:
    """Nobody is listening."""


def _may_fork(wish: bool | None) -> bool:
    if wish is not None:
        return wish
    import sys

    return hasattr(os, "fork") and sys.platform != "darwin"  # there, system libraries may run threads that a fork cuts


@contextmanager
def _scratch(store: Store, run_id: str) -> Iterator[Path]:
    """Lend the folder in which steps work: the run's own, or a temporary one whose logs are carried to the store."""
    if store.folder is not None:
        yield store.folder / run_id
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix=f"{run_id}-") as name:
        folder = Path(name).resolve()
        for file in store.names(run_id, "tracking"):  # a run that an earlier step opened is gone on with
            (folder / "tracking").mkdir(exist_ok=True)
            (folder / "tracking" / file).write_bytes(store.read(run_id, f"tracking/{file}"))
        try:
            yield folder
        finally:
            for log in sorted(folder.glob("logs/*.txt")):
                store.write(run_id, f"logs/{log.name}", log.read_bytes())


def _begin(request: Request, store: Store, run_id: str, steps: list[str]) -> float:
    """Write that the run has begun; return when. Records of these steps from an earlier try no longer count."""
    before = store.run(run_id)
    if before is not None:
        for step in steps:
            store.forget_step(run_id, step)
    started: float = before["started"] if before and request.task else time.time()
    facts: Facts = {"run": run_id, "pipeline": request.pipeline.name, "status": "running"}
    facts |= {"parameters": dict(request.parameters), "data": str(request.data.absolute()) if request.data else None}
    store.set_run(run_id, {**facts, "started": started, "ended": None, "seconds": None, "error": None})
    return started


def _end(request: Request, store: Store, run_id: str, ended: tuple[Event, ...], fault: str) -> None:
    """Write what the run came to. The tasks of an orchestrator each judge by all records; the last one is right."""
    facts = store.run(run_id) or {}
    while True:
        status = _standing(request, store, run_id) if request.task else _verdict(ended)
        now = None if status == "running" else time.time()
        seconds = None if now is None else round(now - facts["started"], 6)
        error = (fault or _failure(request, store, run_id)) if status == "failed" else None
        store.set_run(run_id, {**facts, "status": status, "ended": now, "seconds": seconds, "error": error})
        if not request.task or status == _standing(request, store, run_id):
            return


def _verdict(ended: tuple[Event, ...]) -> str:
    return "succeeded" if ended and all(event.status in GOOD for event in ended) else "failed"


def _standing(request: Request, store: Store, run_id: str) -> str:
    records = [store.step(run_id, step.name) for step in request.pipeline.steps]
    if any(record and record["status"] == "failed" for record in records):
        return "failed"
    return "running" if None in records else "succeeded"


def _failure(request: Request, store: Store, run_id: str) -> str | None:
    """Say in one line which step failed, and of what."""
    records = (store.step(run_id, step.name) for step in request.pipeline.steps)
    failed = next((record for record in records if record and record["status"] == "failed"), None)
    return None if failed is None else "step {!r} failed: {type}: {message}".format(failed["step"], **failed["error"])


def _merge_tracking(store: Store, run_id: str) -> None:
    """Gather what the steps logged into `tracking.json`: {"run", "steps": {step: its file}}."""
    files = store.names(run_id, "tracking")
    if files:
        steps = {file.removesuffix(".json"): json.loads(store.read(run_id, f"tracking/{file}")) for file in files}
        merged = {"run": run_id, "steps": steps}
        store.write(run_id, "tracking.json", json.dumps(merged, indent=1).encode())
