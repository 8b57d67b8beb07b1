"""Idempotent writing of runs to MLflow, for the courier and for a bundle's steps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RUN_TAG = "mlops_jupyter.run"
"""Tag of an MLflow run that holds our own id of it."""

BATCH = 1000
"""The most metrics that MLflow takes in one call."""

Row = tuple[str, float, int, int]
"""A metric: key, value, milliseconds since the epoch, step."""


def connect(uri: str) -> Any:
    """Return MLflow's client for a tracking URI; imports mlflow, which takes seconds."""
    import mlflow

    mlflow.set_tracking_uri(uri)  # model versions are resolved through the global address
    return mlflow.MlflowClient(uri)


def artifact_root(uri: str) -> str | None:
    """Return where artifacts go for an embedded database: `mlartifacts` beside it. None: the server decides.

    Examples
    --------
    >>> artifact_root("sqlite:////data/mlflow.db")
    'file:///data/mlartifacts'
    """
    if not uri.startswith("sqlite:///"):
        return None
    return (Path(uri.removeprefix("sqlite:///")).absolute().parent / "mlartifacts").as_uri()


def experiment(client: Any, uri: str, name: str) -> str:
    """Return the id of the experiment of that name, which is created if there is none."""
    from mlflow.exceptions import MlflowException

    existing = client.get_experiment_by_name(name)
    if existing is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifact_root(uri)))
        except MlflowException as fault:
            if fault.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            existing = client.get_experiment_by_name(name)  # another process came first
    return str(existing.experiment_id)


def find_run(client: Any, experiment_id: str, key: str) -> str | None:
    """Return MLflow's id of the run with our id in its tag (the first one if two processes raced), or None."""
    from mlflow.entities import ViewType

    runs = client.search_runs([experiment_id], f"tags.`{RUN_TAG}` = '{key}'", ViewType.ACTIVE_ONLY, max_results=10)
    ids = sorted((run.info.start_time, run.info.run_id) for run in runs)
    return str(ids[0][1]) if ids else None


def ensure_run(
    client: Any, experiment_id: str, key: str, name: str, started: float, tags: Mapping[str, str]
) -> tuple[str, bool]:
    """Return (MLflow's id of our run, whether it was created just now)."""
    existing = find_run(client, experiment_id, key)
    if existing:
        return existing, False
    created = client.create_run(experiment_id, start_time=_ms(started), tags={**tags, RUN_TAG: key}, run_name=name)
    first = find_run(client, experiment_id, key) or created.info.run_id
    if first != created.info.run_id:
        client.delete_run(created.info.run_id)
    return str(first), first == created.info.run_id


def log_metrics(client: Any, run_id: str, rows: Sequence[Row], *, again: bool) -> None:
    """Log metrics in batches. With `again`, those that MLflow already has are left out."""
    from mlflow.entities import Metric

    if again:
        logged = _there(client, run_id, {row[0] for row in rows})
        rows = [row for row in rows if _identity(*row) not in logged]
    for start in range(0, len(rows), BATCH):
        client.log_batch(run_id, metrics=[Metric(*row) for row in rows[start : start + BATCH]])


def _there(client: Any, run_id: str, keys: Iterable[str]) -> set[tuple[object, ...]]:
    return {
        _identity(m.key, m.value, m.timestamp, m.step) for key in keys for m in client.get_metric_history(run_id, key)
    }


def _identity(key: str, value: float, time: int, step: int) -> tuple[object, ...]:
    return key, repr(stored(value)), time, step


def stored(value: float) -> float:
    """Return a number as MLflow's database keeps it: infinities become the greatest finite numbers."""
    import math

    return math.copysign(1.7976931348623157e308, value) if math.isinf(value) else value


def log_facts(client: Any, run_id: str, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Log parameters and tags, at most 100 of either in one call."""
    from mlflow.entities import Param, RunTag

    for part in _parts(params):
        client.log_batch(run_id, params=[Param(*pair) for pair in part])
    for part in _parts(tags):
        client.log_batch(run_id, tags=[RunTag(*pair) for pair in part])


def _parts(pairs: Mapping[str, str]) -> Iterable[list[tuple[str, str]]]:
    whole = list(pairs.items())
    return (whole[start : start + 100] for start in range(0, len(whole), 100))


def put_artifact(client: Any, run_id: str, path: str, data: bytes) -> None:
    """Upload bytes as the run's artifact at a path."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / Path(path).name
        file.write_bytes(data)
        parent = str(Path(path).parent)
        client.log_artifact(run_id, str(file), None if parent == "." else parent)


def end_run(client: Any, run_id: str, status: str, ended: float) -> None:
    """End a run as "finished", "failed" or "killed", at a time in seconds since the epoch."""
    client.set_terminated(run_id, status.upper(), _ms(ended))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
