"""Model versions in MLflow, each registered once however often the registration is tried."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .model_file import ModelFile, load

VERSION_TAG = "mlops_jupyter.model"
"""Tag of a logged model and of a model version that holds our own id of it."""


@dataclass(frozen=True)
class Registration:
    """The facts of a model that is to be registered in MLflow.

    Attributes
    ----------
    id : our own id of the model, by which a retry finds what an earlier try made.
    run : MLflow's id of the run that made the model, or None.
    example : (a few rows of features, the predictions for them), or None.
    created : seconds since the epoch.
    requirements : pinned distributions. Without them MLflow takes more than ten seconds to infer them.
    """

    id: str
    name: str
    file: ModelFile
    experiment: str
    created: float
    run: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    example: tuple[Any, Any] | None = None
    requirements: Sequence[str] = ()
    alias: str | None = None


def register(client: Any, wanted: Registration) -> int:
    """Register a model in its scikit-learn flavour; return its version number."""
    ensure_name(client, wanted.name)
    version = find_version(client, wanted.name, wanted.id)
    if version is None:
        logged = _logged(client, wanted)
        created = client.create_model_version(
            wanted.name,
            source=f"models:/{logged}",
            run_id=wanted.run,
            tags={
                VERSION_TAG: wanted.id,
                **{f"metrics.{key}": f"{value:.6g}" for key, value in wanted.metrics.items()},
            },
            model_id=logged,
        )
        version = int(created.version)
    if wanted.alias:
        client.set_registered_model_alias(wanted.name, wanted.alias, str(version))
    return version


def ensure_name(client: Any, name: str) -> None:
    """Create the registered model of that name, unless it exists."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as fault:
        if fault.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def find_version(client: Any, name: str, key: str) -> int | None:
    """Return the number of the model version with our id in its tag; None if there is none."""
    versions = client.search_model_versions(f"name = '{name}' and tags.`{VERSION_TAG}` = '{key}'", max_results=1)
    return int(versions[0].version) if versions else None


def _logged(client: Any, wanted: Registration) -> str:
    """Return the id of the logged model; create it, upload its files and finalize it if that is not done yet."""
    models = client.search_logged_models([wanted.experiment], f"tags.`{VERSION_TAG}` = '{wanted.id}'", max_results=1)
    model = (
        models[0]
        if models
        else client.create_logged_model(
            wanted.experiment,
            name=wanted.name,
            source_run_id=wanted.run,
            tags={VERSION_TAG: wanted.id},
            model_type="sklearn",
        )
    )
    if str(model.status) != "READY":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            _write(path, model, wanted)
            client.log_model_artifacts(model.model_id, str(path))
        client.finalize_logged_model(model.model_id, "READY")
    if wanted.run:
        _link(client, model, wanted)
    return str(model.model_id)


def _write(path: Path, model: Any, wanted: Registration) -> None:
    import mlflow.sklearn
    from mlflow.models import Model, infer_signature

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on whole-number columns: the sample keeps the gaps that there are
        signature = infer_signature(*wanted.example) if wanted.example else None
        mlflow.sklearn.save_model(
            load(wanted.file),
            str(path),
            mlflow_model=Model(
                artifact_path=model.artifact_location,
                model_uuid=model.model_id,
                run_id=wanted.run,
                model_id=model.model_id,
            ),
            serialization_format="skops" if wanted.file.format == "skops" else "cloudpickle",
            skops_trusted_types=list(wanted.file.trusted) or None,
            signature=signature,
            input_example=wanted.example[0] if wanted.example else None,
            pip_requirements=list(wanted.requirements) or None,
        )


def _link(client: Any, model: Any, wanted: Registration) -> None:
    """Link the model to its run as an output, and log its metrics there, unless that is done."""
    from mlflow.entities import LoggedModelOutput, Metric

    outputs = client.get_run(wanted.run).outputs
    if model.model_id not in {output.model_id for output in (outputs.model_outputs if outputs else ())}:
        client.log_outputs(wanted.run, [LoggedModelOutput(model.model_id, step=0)])
    logged = {metric.key for metric in client.get_logged_model(model.model_id).metrics or ()}
    when = int(wanted.created * 1000)
    metrics = [
        Metric(f"{wanted.name}.{key}", value, when, 0, model_id=model.model_id)
        for key, value in wanted.metrics.items()
        if f"{wanted.name}.{key}" not in logged
    ]
    if metrics:
        client.log_batch(wanted.run, metrics=metrics)
