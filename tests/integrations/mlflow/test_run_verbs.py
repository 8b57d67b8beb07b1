"""The verbs of a run are in MLflow alike, carried by the courier of a notebook or by the step of a bundle."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.integrations.mlflow.upload import OutboxUpload
from mlops_jupyter.runtime import tracking
from mlops_jupyter.runtime.tracking import mlflow_runs
from mlops_jupyter.runtime.tracking.run_verbs import RunVerbs
from mlops_jupyter.store.outbox import behind
from mlops_jupyter.workspace import Workspace

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An embedded database. Its address is taken away again, which MLflow keeps for the process."""
    import mlflow

    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setattr(Workspace, "courier", lambda self: None)
    yield address
    tracking.begin(None, "interactive", "", "")
    mlflow.set_tracking_uri(None)
    os.environ.pop("MLFLOW_TRACKING_URI", None)


def use(run: RunVerbs) -> None:
    """Call every verb, as a cell would."""
    with run:
        for loss in (0.5, 0.25):
            run.log(loss=loss)
        run.log({"val/auc": 0.5}, step=3, lost=math.nan, endless=math.inf)
        run.params(depth=3, columns=["a", "b"])
        run.tag(team="blue")
        run.tag(team="red")
        run.artifact("notes/a.txt", b"hello")
    run.end(failed=True)


def outcome(client: Any, experiment: str) -> dict[str, Any]:
    """Return what MLflow has of the one run of an experiment."""
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    key = run.info.run_id
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "latest": {name: repr(value) for name, value in run.data.metrics.items()},
        "loss": [(m.step, m.value) for m in sorted(client.get_metric_history(key, "loss"), key=lambda m: m.timestamp)],
        "step": [m.step for m in client.get_metric_history(key, "val/auc")],
        "params": run.data.params,
        "team": run.data.tags["team"],
        "files": [(file.path, file.file_size) for file in client.list_artifacts(key, "notes")],
    }


def test_a_run_is_in_mlflow_alike(tmp_path: Path, uri: str) -> None:
    workspace = Workspace(tmp_path)
    use(workspace.tracking.start("baseline", "notebook"))
    carrier = OutboxUpload(workspace.ledger, workspace.folder, uri)
    while behind(workspace.ledger) != (0, 0):
        carrier.round()
    workspace.close()
    tracking.begin(tmp_path / "tracking" / "train.json", "churn", "r1", "train")
    use(tracking.start_run("baseline", "bundle"))
    tracking.finish()

    client = mlflow_runs.connect(uri)
    found = outcome(client, "notebook")
    assert found == {
        "name": "baseline",
        "status": "FINISHED",
        "latest": {"loss": "0.25", "val/auc": "0.5", "lost": "nan", "endless": repr(mlflow_runs.stored(math.inf))},
        "loss": [(0, 0.5), (0, 0.25)],
        "step": [3],
        "params": {"depth": "3", "columns": "['a', 'b']"},
        "team": "red",
        "files": [("notes/a.txt", 5)],
    }
    assert outcome(client, "bundle") == found
