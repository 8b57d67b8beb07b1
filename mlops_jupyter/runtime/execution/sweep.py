"""Sweeps: a pipeline is run once for each of several values of a parameter, and the results are summarized."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..cli.parameters import parse_value
from ..errors import PipelineError
from ..executors import open_executor
from ..model.events import ExecutionRequest, RunResult
from ..model.parameters import parameter_values
from ..model.pipeline import Pipeline
from ..model.source_digest import as_on_disk
from ..step.initial import package_folder
from ..storage.store import Facts, Store, valid_run
from .attempts import Attempts
from .run import PipelineRun, open_shared_store, run_pipelines, silent
from .run_records import failure

SHOWN_BYTES = 1000
"""The longest JSON output that the summary holds itself; of a longer one, or another format, it names the file."""


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep. Each row: {"value", "run", "status", "seconds", "outputs": {name: value}, "error"}."""

    run: str
    parameter: str
    status: str
    seconds: float
    rows: tuple[Facts, ...]


def parse_each(pipeline: Pipeline, word: str) -> tuple[str, list[object]]:
    """Read `name=a,b,c` or `name=[JSON, ...]`; each value must have the type of the parameter's default.

    Examples
    --------
    >>> parse_each(Pipeline("p", "p", parameters={"n": 1}), "n=3,4")
    ('n', [3, 4])
    """
    name, equals, text = word.partition("=")
    if not equals or not text:
        raise PipelineError(f"--each {word!r}: write --each NAME=A,B,C, or NAME=[...] with a JSON list")
    parameter_values(pipeline, {name: text})
    try:
        items = json.loads(text)
    except ValueError:
        items = None
    words = [json.dumps(item) for item in items] if isinstance(items, list) else text.split(",")
    values = [parse_value(name, word, pipeline.parameters[name]) for word in words]
    repeated = [value for place, value in enumerate(values) if value in values[:place]]
    if not values or repeated:
        raise PipelineError(
            f"--each {name}: {f'{repeated[0]!r} stands there twice' if repeated else 'give at least one value'}"
        )
    return name, values


def run_each(
    pipeline: Pipeline,
    store: str | Path,
    each: tuple[str, list[object]],
    run_id: str,
    parameters: Mapping[str, object],
    data: Path | None = None,
    only: str | None = None,
    start: str | None = None,
    jobs: int | None = None,
    told: Callable[[Facts], None] = lambda row: None,
    engine: str = "local",
    address: str | None = None,
) -> Sweep:
    """Run a pipeline for each value of a parameter, as runs `RUN.1`, `RUN.2` and so on.

    The runs use one cache, so steps that they share run once. A failed run does not stop the others. The summary is
    written to `RUN/each.json`.

    Parameters
    ----------
    each : the parameter's name, and its values.
    told : called with the row of each run that has ended.
    """
    name, values = each
    if name in parameters:
        raise PipelineError(f"--each and -p both give {name!r}: give one of them")
    opened = open_shared_store(store)
    pipeline = as_on_disk(pipeline, package_folder(pipeline))
    started, rows = time.time(), dict[int, Facts]()
    requests = [
        ExecutionRequest(pipeline, parameter_values(pipeline, {**parameters, name: value}), data, only, start)
        for value in values
    ]
    steps = requests[0].scope()
    ids = {valid_run(f"{run_id}.{number}"): number - 1 for number in range(1, len(requests) + 1)}

    def over(run: PipelineRun, result: RunResult) -> None:
        place = ids[run.id]
        rows[place] = _row(opened, pipeline, values[place], result)
        told(rows[place])

    def summary(status: str) -> Sweep:
        return Sweep(run_id, name, status, time.time() - started, tuple(rows[place] for place in sorted(rows)))

    with open_executor(engine, address) as executor:
        executor.check(steps)
        attempts = Attempts(executor, room := jobs or executor.jobs)

        def runs() -> Iterator[PipelineRun]:
            for run, place in ids.items():
                yield PipelineRun(requests[place], opened, run, attempts, silent)

        status = "failed"
        try:
            run_pipelines(runs(), attempts, room, over)
            status = "succeeded" if all(row["status"] == "succeeded" for row in rows.values()) else "failed"
        finally:
            if rows:  # otherwise no run has ended
                _keep(opened, pipeline, summary(status), parameters, data, started)
    return summary(status)


def _row(store: Store, pipeline: Pipeline, value: object, result: RunResult) -> Facts:
    error = next((failure(event.step, event.error) for event in result.steps if event.error), None)
    outputs = {output["name"]: _shown(store, result.run, output) for output in result.outputs}
    facts = {"value": value, "run": result.run, "status": result.status, "seconds": round(result.seconds, 6)}
    return {**facts, "outputs": outputs, "error": error}


def _shown(store: Store, run: str, output: Facts) -> object:
    file = f"outputs/{output['file']}"
    if output["format"] == "json":
        text = store.read(run, file)
        if len(text) <= SHOWN_BYTES:
            return json.loads(text)
    return {"file": f"{run}/{file}"}


def _keep(
    store: Store, pipeline: Pipeline, fan: Sweep, parameters: Mapping[str, object], data: Path | None, started: float
) -> None:
    """Write the summary, and a run record under the sweep's own id, so that the store lists the sweep as a run."""
    failed = sum(row["status"] != "succeeded" for row in fan.rows)
    facts: Facts = {"run": fan.run, "pipeline": pipeline.name, "status": fan.status, "each": fan.parameter}
    facts |= {"parameters": parameter_values(pipeline, parameters), "data": str(data.absolute()) if data else None}
    times = {"started": started, "ended": time.time(), "seconds": round(fan.seconds, 6)}
    error = f"{failed} of {len(fan.rows)} runs failed" if failed else None
    error = error or (None if fan.status == "succeeded" else "the run was stopped")
    store.write(fan.run, "each.json", json.dumps({"each": fan.parameter, "runs": fan.rows}, indent=1).encode())
    store.set_run(fan.run, {**facts, **times, "error": error})
