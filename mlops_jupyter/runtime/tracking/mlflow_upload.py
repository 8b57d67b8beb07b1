"""From a step's book to MLflow: one MLflow run for each tracked run, found by its tag in every step and retry."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING, Any

from . import mlflow_models, mlflow_runs
from .model_file import ModelFile, example, requirements

if TYPE_CHECKING:
    from .tracking_log import TrackedModel, TrackedRun, TrackingLog


def carry(book: TrackingLog) -> None:
    """Write every run of a step into MLflow. What an earlier try wrote is found and left."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    client = mlflow_runs.connect(uri)
    for run in book.runs:
        made = _ensure(client, uri, run, book.pipeline)
        _metrics(client, run, again=not made)
        mlflow_runs.log_facts(client, str(run.mlflow), _new_params(client, run), run.tags)
        for path, data in run.files.items():
            mlflow_runs.put_artifact(client, str(run.mlflow), path, base64.b64decode(data))
        status, ended = (run.status, run.ended) if run.ended is not None else ("finished", time.time())
        mlflow_runs.end_run(client, str(run.mlflow), status, ended)  # a step that goes on with it will close it anew


def _ensure(client: Any, uri: str, run: TrackedRun, pipeline: str) -> bool:
    experiment = mlflow_runs.experiment(client, uri, run.experiment)
    tags = {"mlops_jupyter.pipeline": pipeline, "mlflow.source.name": pipeline}
    run.mlflow, made = mlflow_runs.ensure_run(client, experiment, run.id, run.name, run.started, tags)
    return made


def _metrics(client: Any, run: TrackedRun, *, again: bool) -> None:
    """Log what is not there yet. A retry logs the same values at other times, so time does not count here."""
    rows = [(key, value, int(when * 1000), step) for key, value, step, when in run.metrics]
    if again:
        there = {
            (m.key, m.step, repr(m.value))
            for key in {row[0] for row in rows}
            for m in client.get_metric_history(run.mlflow, key)
        }
        rows = [row for row in rows if (row[0], row[3], repr(mlflow_runs.stored(row[1]))) not in there]
    mlflow_runs.log_metrics(client, str(run.mlflow), rows, again=False)


def _new_params(client: Any, run: TrackedRun) -> dict[str, str]:
    """Leave out settings that MLflow has: it refuses to change one."""
    there = client.get_run(run.mlflow).data.params
    return {key: value for key, value in run.params.items() if key not in there}


def register(noted: TrackedModel, run: TrackedRun | None, pipeline: str, model: Any, file: ModelFile, data: Any) -> int:
    """Register a step's model; return its version number."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    client = mlflow_runs.connect(uri)
    if run is not None:
        _ensure(client, uri, run, pipeline)
    return mlflow_models.register(
        client,
        mlflow_models.Registration(
            id=noted.id,
            name=noted.name,
            file=file,
            experiment=mlflow_runs.experiment(client, uri, run.experiment if run else pipeline),
            created=time.time(),
            run=run.mlflow if run else None,
            metrics=noted.metrics,
            example=example(model, data[0]) if data is not None else None,
            requirements=requirements(model),
            alias=noted.alias,
        ),
    )
