"""The tracking log of one step: its tracked runs, its models, and the file that holds them."""

from __future__ import annotations

import base64
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..hashing import tracking_id
from ..run_data.metric_values import (
    MetricClock,
    artifact_data,
    artifact_path,
    check_called,
    check_key,
    number,
    refuse_changes,
    text,
    whole_step,
)
from ..storage.atomic import write_atomic
from .model_file import ModelFile


@dataclass
class TrackedRun:
    """One tracked run, as a step knows it. `id` is the same in every step and retry of one run of the pipeline."""

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

    def log_metrics(self, metrics: Mapping[str, object], step: int | None, clock: MetricClock) -> None:
        """Log metrics, all or none."""
        place, now = whole_step(step), time.time()
        checked = [(check_key(key), number(key, value)) for key, value in metrics.items()]
        self.metrics += [(key, value, place, clock.time(self.id, key, place, now)) for key, value in checked]

    def log_params(self, params: Mapping[str, object], keep_first: bool = False) -> None:
        """Log parameters. A parameter keeps its first value; another one is refused or, with `keep_first`, ignored."""
        texts = {check_key(key): text(key, value) for key, value in params.items()}
        if not keep_first:
            refuse_changes(self.params, texts)
        self.params = {**texts, **self.params}

    def log_tags(self, tags: Mapping[str, object]) -> None:
        """Set tags, which replace those of the same name."""
        self.tags.update({check_key(key): text(key, value) for key, value in tags.items()})

    def log_files(self, files: Mapping[str, bytes]) -> None:
        """Add files, which replace those of the same path. Secrets in them are masked."""
        masked = {artifact_path(path): artifact_data(path, data) for path, data in files.items()}
        self.files.update({path: base64.b64encode(data).decode() for path, data in masked.items()})

    def end(self, failed: bool) -> None:
        """End the run now, as failed or as finished."""
        self.status, self.ended = "failed" if failed else "finished", time.time()

    def content(self) -> dict[str, Any]:
        """Return the run as the file holds it, with non-finite numbers as text, as JSON has none."""
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
        """Return the model as the file holds it."""
        return {**vars(self), "metrics": {key: _plain(value) for key, value in self.metrics.items()}}


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


class TrackingLog:
    """Collects what one step logs, and writes the step's file. It does not know MLflow; `finish` uploads it."""

    def __init__(self, path: Path | None = None, pipeline: str = "interactive", run: str = "", step: str = "") -> None:
        self.path = path
        self.pipeline = pipeline
        self.run = run or f"{os.getpid()}-{time.time_ns()}"
        self.step = step
        self.runs: list[TrackedRun] = []
        self.models: list[TrackedModel] = []
        self.fault = ""
        self.clock = MetricClock()
        self._outer: list[TrackedRun] = []
        self._open: TrackedRun | None = self._left_open()

    def _left_open(self) -> TrackedRun | None:
        """Return the tracked run that an earlier step of the same pipeline run left open, to continue it; or None."""
        runs: dict[str, dict[str, Any]] = {}
        for run in self._other_runs():
            if run["id"] not in runs or run["status"] != "running":
                runs[run["id"]] = run
        left = [run for run in runs.values() if run["status"] == "running" and not run["implied"]]
        if not left:
            return None
        latest = max(left, key=lambda run: run["started"])
        return self._add(TrackedRun(latest["id"], latest["name"], latest["experiment"], latest["started"]))

    def _other_runs(self) -> Iterator[dict[str, Any]]:
        for file in sorted(self.path.parent.glob("*.json")) if self.path else ():
            if file != self.path:
                yield from json.loads(file.read_text())["runs"]

    def _add(self, run: TrackedRun) -> TrackedRun:
        self.runs.append(run)
        return run

    def key(self, *parts: str) -> str:
        """Return an id made of the pipeline, its run and `parts`, so that a retry of a step gives the same ids."""
        return tracking_id(self.pipeline, self.run, *parts)

    def start(self, name: str | None, experiment: str | None, inside: bool) -> TrackedRun:
        """Open a tracked run for the step's code. With `inside`, the run that is open now continues after it."""
        if inside and self._open is not None:
            self._outer.append(self._open)
        elif not inside:
            self.end(failed=False)
        for what, word in (("run", name), ("experiment", experiment)):
            if word is not None:
                check_called(what, word)
        key = self.key(self.step, str(len(self.runs)))
        self._open = self._add(TrackedRun(key, name or self.pipeline, experiment or "default", time.time()))
        return self._open

    def current(self) -> TrackedRun:
        """Return the open run; if none was started, the implied run of the whole pipeline."""
        if self._open is None:
            implied = TrackedRun(self.key("pipeline"), self.pipeline, self.pipeline, time.time(), implied=True)
            self._open = self._add(implied)
        return self._open

    def called(self, key: str, name: str, experiment: str) -> TrackedRun:
        """Return the run of that id. A run of an earlier step is added to this step's runs."""
        own = [run for run in self.runs if run.id == key]
        if own:
            return own[0]
        facts: dict[str, Any] = {"started": time.time(), "ended": None, "status": "finished"}
        for run in self._other_runs():
            facts = run if run["id"] == key else facts
        return self._add(TrackedRun(key, name, experiment, facts["started"], facts["ended"], facts["status"]))

    def end(self, failed: bool, key: str | None = None) -> bool:
        """End the run of that id, or the open run; return whether it was the open run. Ended runs stay as they are."""
        if self._open is not None and key in (None, self._open.id):
            self._open.end(failed)
            self._open = self._outer.pop() if self._outer else None
            return True
        for run in [run for run in self._outer if run.id == key]:
            run.end(failed)
            self._outer.remove(run)
        return False

    @property
    def open_run(self) -> TrackedRun | None:
        """The run that is open now."""
        return self._open

    def next_model(
        self, name: str, alias: str | None, metrics: dict[str, float], require: list[str], file: ModelFile
    ) -> TrackedModel:
        """Return the model that is about to be added to `models`; its id holds its place there."""
        key = self.key(self.step, "model", str(len(self.models)))
        return TrackedModel(key, name, alias, metrics, require, file.format, file.note)

    def content(self) -> dict[str, Any]:
        """Return the whole log, as the file holds it."""
        return {
            "pipeline": self.pipeline,
            "run": self.run,
            "step": self.step,
            "runs": [run.content() for run in self.runs],
            "models": [model.content() for model in self.models],
            "mlflow": self.fault,
        }

    def close(self, failed: bool) -> None:
        """End the runs that do not outlive the step: nested ones, the implied one, and all if the step failed."""
        while self._open is not None and (failed or self._outer or self._open.implied):
            self.end(failed)

    def write(self) -> None:
        """Write the step's file, if it has one."""
        if self.path is not None:
            write_atomic(self.path, json.dumps(self.content(), indent=1).encode(), fsync=True)
