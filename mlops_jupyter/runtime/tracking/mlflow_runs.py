"""Runs in MLflow, written so that doing it twice changes nothing: the courier and a bundle's steps both use it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RUN_TAG = "mlops_jupyter.run"
"""Tag of an MLflow run that holds our own id of it."""

BATCH = 1000
"""Metrics that MLflow takes in one call."""

Row = tuple[str, float, int, int]
"""A metric: key, value, milliseconds since the epoch, step."""


def connect(uri: str) -> Any:
    """Return MLflow's client for that address; imports mlflow, which takes seconds."""
    import mlflow

    mlflow.set_tracking_uri(uri)  # model versions are resolved through the global address
    return mlflow.MlflowClient(uri)


def artifact_root(uri: str) -> str | None:
    """Where files go for an embedded database: `mlartifacts` beside it. None: the server decides.

    Examples
    --------
    >>> artifact_root("sqlite:////data/mlflow.db")
    'file:///data/mlartifacts'
    """
    if not uri.startswith("sqlite:///"):
        return None
    return (Path(uri.removeprefix("sqlite:///")).absolute().parent / "mlartifacts").as_uri()


def experiment(client: Any, uri: str, name: str) -> str:
    """Return the id of the experiment of that name, made if there is none."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifact_root(uri)))
        except MlflowException as fault:
            if fault.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)  # another process came first
    return str(found.experiment_id)


def find_run(client: Any, experiment_id: str, key: str) -> str | None:
    """Return MLflow's id of the run that carries our id, the first made if two processes raced."""
    from mlflow.entities import ViewType

    found = client.search_runs([experiment_id], f"tags.`{RUN_TAG}` = '{key}'", ViewType.ACTIVE_ONLY, max_results=10)
    ids = sorted((run.info.start_time, run.info.run_id) for run in found)
    return str(ids[0][1]) if ids else None


def ensure_run(
    client: Any, experiment_id: str, key: str, name: str, started: float, tags: Mapping[str, str]
) -> tuple[str, bool]:
    """Return (MLflow's id of our run, whether it was made just now)."""
    found = find_run(client, experiment_id, key)
    if found:
        return found, False
    made = client.create_run(experiment_id, start_time=_ms(started), tags={**tags, RUN_TAG: key}, run_name=name)
    first = find_run(client, experiment_id, key) or made.info.run_id
    if first != made.info.run_id:
        client.delete_run(made.info.run_id)
    return str(first), first == made.info.run_id


def log_metrics(client: Any, run_id: str, rows: Sequence[Row], *, again: bool) -> None:
    """Log metrics in batches. `again`: some may be there already, and those are left out."""
    from mlflow.entities import Metric

    if again:
        there = _there(client, run_id, {row[0] for row in rows})
        rows = [row for row in rows if _identity(*row) not in there]
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
    """Log parameters and tags, a hundred of each a call."""
    from mlflow.entities import Param, RunTag

    for part in _parts(params):
        client.log_batch(run_id, params=[Param(*pair) for pair in part])
    for part in _parts(tags):
        client.log_batch(run_id, tags=[RunTag(*pair) for pair in part])


def _parts(pairs: Mapping[str, str]) -> Iterable[list[tuple[str, str]]]:
    whole = list(pairs.items())
    return (whole[start : start + 100] for start in range(0, len(whole), 100))


def put_artifact(client: Any, run_id: str, path: str, data: bytes) -> None:
    """Keep bytes as the run's artifact at that path."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / Path(path).name
        file.write_bytes(data)
        parent = str(Path(path).parent)
        client.log_artifact(run_id, str(file), None if parent == "." else parent)


def end_run(client: Any, run_id: str, status: str, ended: float) -> None:
    """Close a run: "finished", "failed" or "killed"."""
    client.set_terminated(run_id, status.upper(), _ms(ended))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
