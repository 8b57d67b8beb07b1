"""Upload of a step's tracking log to MLflow: one MLflow run a tracked run, found by its tag in every step and retry."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING, Any

from . import mlflow_models, mlflow_runs
from .model_file import ModelFile, example, requirements

if TYPE_CHECKING:
    from .tracking_log import TrackedModel, TrackedRun, TrackingLog


def upload(log: TrackingLog) -> None:
    """Upload every tracked run of a step to MLflow. What an earlier try uploaded is not logged again."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    client = mlflow_runs.connect(uri)
    for run in log.runs:
        created = _ensure(client, uri, run, log.pipeline)
        _metrics(client, run, again=not created)
        mlflow_runs.log_facts(client, str(run.mlflow), _new_params(client, run), run.tags)
        for path, data in run.files.items():
            mlflow_runs.put_artifact(client, str(run.mlflow), path, base64.b64decode(data))
        status, ended = (run.status, run.ended) if run.ended is not None else ("finished", time.time())
        mlflow_runs.end_run(client, str(run.mlflow), status, ended)  # a step that goes on with it will close it anew


def _ensure(client: Any, uri: str, run: TrackedRun, pipeline: str) -> bool:
    experiment = mlflow_runs.experiment(client, uri, run.experiment)
    tags = {"mlops_jupyter.pipeline": pipeline, "mlflow.source.name": pipeline}
    run.mlflow, created = mlflow_runs.ensure_run(client, experiment, run.id, run.name, run.started, tags)
    return created


def _metrics(client: Any, run: TrackedRun, *, again: bool) -> None:
    """Log the metrics that MLflow does not have yet. Timestamps do not count: a retry has other ones."""
    rows = [(key, value, int(when * 1000), step) for key, value, step, when in run.metrics]
    if again:
        logged = {
            (m.key, m.step, repr(m.value))
            for key in {row[0] for row in rows}
            for m in client.get_metric_history(run.mlflow, key)
        }
        rows = [row for row in rows if (row[0], row[3], repr(mlflow_runs.stored(row[1]))) not in logged]
    mlflow_runs.log_metrics(client, str(run.mlflow), rows, again=False)


def _new_params(client: Any, run: TrackedRun) -> dict[str, str]:
    """Return the parameters that MLflow does not have yet: it refuses to change one."""
    logged = client.get_run(run.mlflow).data.params
    return {key: value for key, value in run.params.items() if key not in logged}


def register(noted: TrackedModel, run: TrackedRun | None, pipeline: str, model: Any, file: ModelFile, data: Any) -> int:
    """Register a step's model in MLflow; return its version number."""
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
