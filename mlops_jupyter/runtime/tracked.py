"""What one step tracked: its runs, its models, the file that keeps them."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .hashing import tracking_id
from .modelfile import ModelFile
from .storage.atomic import write_atomic


@dataclass
class TrackedRun:
    """One run, as a step knows it. `id` is the same in every step and every retry of one run of the pipeline."""

    id: str
    name: str
    experiment: str
    started: float
    ended: float | None = None
    status: str = "running"
    implied: bool = False  # nobody started it: it lasts as long as the pipeline's run
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[tuple[str, float, int, float]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    mlflow: str | None = None

    def content(self) -> dict[str, Any]:
        """Return it as the file holds it: non-finite numbers as text, as JSON has none."""
        metrics = [{"key": k, "value": _plain(v), "step": s, "time": t} for k, v, s, t in self.metrics]
        return {**vars(self), "metrics": metrics}


@dataclass
class TrackedModel:
    """One model that the step registered. `version` is None where there is no MLflow to give one."""

    id: str
    name: str
    alias: str | None
    metrics: dict[str, float]
    require: list[str]
    format: str
    note: str
    version: int | None = None

    def content(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        return {**vars(self), "metrics": {key: _plain(value) for key, value in self.metrics.items()}}


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


class Book:
    """Collects what one step logs, and writes the step's file. Knows files and ids; `tracking` has it carried."""

    def __init__(self, path: Path | None = None, pipeline: str = "interactive", run: str = "", step: str = "") -> None:
        self.path = path
        self.pipeline = pipeline
        self.run = run or f"{os.getpid()}-{time.time_ns()}"
        self.step = step
        self.runs: list[TrackedRun] = []
        self.models: list[TrackedModel] = []
        self.fault = ""
        self._outer: list[TrackedRun] = []
        self._open: TrackedRun | None = self._left_open()

    def _left_open(self) -> TrackedRun | None:
        """Return the run that an earlier step of this pipeline's run started and none has ended, to go on with."""
        found: dict[str, dict[str, Any]] = {}
        for run in self._other_runs():
            if run["id"] not in found or run["status"] != "running":
                found[run["id"]] = run
        still = [run for run in found.values() if run["status"] == "running" and not run["implied"]]
        if not still:
            return None
        latest = max(still, key=lambda run: run["started"])
        return self._add(TrackedRun(latest["id"], latest["name"], latest["experiment"], latest["started"]))

    def _other_runs(self) -> Iterator[dict[str, Any]]:
        for file in sorted(self.path.parent.glob("*.json")) if self.path else ():
            if file != self.path:
                yield from json.loads(file.read_text())["runs"]

    def _add(self, run: TrackedRun) -> TrackedRun:
        self.runs.append(run)
        return run

    def key(self, *parts: str) -> str:
        """Return an id that is the same whenever this step of this run comes to the same place."""
        return tracking_id(self.pipeline, self.run, *parts)

    def start(self, name: str | None, experiment: str | None, inside: bool) -> TrackedRun:
        """Open a run that the step's code asked for; `inside`: the open one is gone on with after it."""
        if inside and self._open is not None:
            self._outer.append(self._open)
        elif not inside:
            self.end(failed=False)
        key = self.key(self.step, str(len(self.runs)))
        self._open = self._add(TrackedRun(key, name or self.pipeline, experiment or "default", time.time()))
        return self._open

    def current(self) -> TrackedRun:
        """Return the open run; where nobody started one, that of the whole pipeline."""
        if self._open is None:
            implied = TrackedRun(self.key("pipeline"), self.pipeline, self.pipeline, time.time(), implied=True)
            self._open = self._add(implied)
        return self._open

    def end(self, failed: bool) -> None:
        """Close the open run, if there is one."""
        if self._open is not None:
            self._open.status, self._open.ended = "failed" if failed else "finished", time.time()
            self._open = self._outer.pop() if self._outer else None

    @property
    def open_run(self) -> TrackedRun | None:
        """The run that is open now."""
        return self._open

    def next_model(
        self, name: str, alias: str | None, metrics: dict[str, float], require: list[str], file: ModelFile
    ) -> TrackedModel:
        """Return the facts of a model that is about to be noted; its place in `models` is in its id."""
        key = self.key(self.step, "model", str(len(self.models)))
        return TrackedModel(key, name, alias, metrics, require, file.format, file.note)

    def content(self) -> dict[str, Any]:
        """Return everything, as the file holds it."""
        return {
            "pipeline": self.pipeline,
            "run": self.run,
            "step": self.step,
            "runs": [run.content() for run in self.runs],
            "models": [model.content() for model in self.models],
            "mlflow": self.fault,
        }

    def close(self, failed: bool) -> None:
        """Close the runs that do not outlive the step: inner ones, the one that nobody started, all where it failed."""
        while self._open is not None and (failed or self._outer or self._open.implied):
            self.end(failed)

    def write(self) -> None:
        """Write the step's file, if it has one."""
        if self.path is not None:
            write_atomic(self.path, json.dumps(self.content(), indent=1).encode(), fsync=True)
