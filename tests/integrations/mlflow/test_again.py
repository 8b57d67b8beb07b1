"""The courier dies after each of its writes to MLflow, and another one goes on: the outcome is the same.

In one process and on the embedded database, with a client that stops after each write once: what the call did has
happened, what was to be noted of it has not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.integrations.mlflow.upload import ATTEMPTS, OutboxUpload
from mlops_jupyter.runtime.tracking import mlflow_runs
from mlops_jupyter.store.outbox import MessageStatus, behind, message, retry
from mlops_jupyter.workspace import Workspace

pytestmark = pytest.mark.timeout(240)

X = np.array([[0.0], [1.0], [2.0], [3.0]])
y = np.array([0, 0, 1, 1])


class Died(BaseException):
    """The courier's process is gone."""


WRITES = ("create_", "log_", "set_", "finalize_")


class Mortal:
    """A client that dies after each writing call that it has not died after before."""

    def __init__(self, client, deaths: set) -> None:
        self._client, self._deaths = client, deaths

    def __getattr__(self, name: str):
        act = getattr(self._client, name)

        def call(*args, **named):
            done = act(*args, **named)
            call_of = (
                name,
                args[0],
                *(f"{k}={[str(v) for v in part]}"[:200] for k, part in named.items() if _many(part)),
            )
            if name.startswith(WRITES) and call_of not in self._deaths:
                self._deaths.add(call_of)
                raise Died(name)
            return done

        return call


def _many(part: object) -> bool:
    return isinstance(part, list) and len(part) > 0


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('embedded') / 'mlflow.db'}"


@pytest.fixture(scope="module")
def client(uri: str) -> Iterator:
    """Takes the address away again, which MLflow keeps for the process and in its environment."""
    import mlflow

    yield mlflow_runs.connect(uri)
    mlflow.set_tracking_uri(None)
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No courier's process: the test is the courier. Answers are not waited for."""
    monkeypatch.setattr(Workspace, "courier", lambda self: None)
    monkeypatch.setattr("mlops_jupyter.services.registry.service.LOOK_SECONDS", 0.0)


def filled(folder: Path, name: str) -> Workspace:
    """A project with everything that can be carried."""
    folder.mkdir()
    workspace = Workspace(folder)
    with workspace.tracking.start(name, name) as run:
        for step in range(1200):
            run.log(loss=0.5, step=step)
        run.params(depth=3)
        run.tag(team="blue")
        run.artifact("a/b.txt", b"hello")
        model = LogisticRegression().fit(X, y)
        for alias in ("challenger", None):
            workspace.registry.register(model, name, alias, (X, y), ["accuracy > 0.5"], run=run.id, timeout=0)
    workspace.ledger.post("alias", {"model": name, "alias": "challenger", "version": 2, "verb": "promote"})
    return workspace


def carry(workspace: Workspace, uri: str, client=None) -> None:
    carrier = OutboxUpload(workspace.ledger, workspace.folder, uri)
    if client is not None:
        for part in (carrier, carrier._runs, carrier._registering):
            part._client = client
    while behind(workspace.ledger) != (0, 0):
        carrier.round()


def outcome(client, workspace: Workspace, name: str) -> dict:
    """Everything that MLflow has of the project."""
    experiment = client.get_experiment_by_name(name)
    (run,) = client.search_runs([experiment.experiment_id])
    versions = client.search_model_versions(f"name = '{name}'")
    return {
        "mlflow": workspace.tracking.run(name).mlflow == run.info.run_id,
        "status": run.info.status,
        "steps": sorted(m.step for m in client.get_metric_history(run.info.run_id, "loss")) == list(range(1200)),
        "accuracy": [m.value for m in client.get_metric_history(run.info.run_id, f"{name}.accuracy")],
        "params": run.data.params,
        "tag": run.data.tags["team"],
        "files": [file.path for file in client.list_artifacts(run.info.run_id, "a")],
        "outputs": len(run.outputs.model_outputs),
        "logged": [str(m.status) for m in client.search_logged_models([experiment.experiment_id])],
        "versions": sorted(int(version.version) for version in versions),
        "aliases": {a: int(v) for a, v in client.get_registered_model(name).aliases.items()},
        "ledger": sorted(r["version"] for r in workspace.ledger.query("SELECT version FROM model_version")),
        "audit": [r["verb"] for r in workspace.ledger.query("SELECT verb FROM audit ORDER BY id")],
        "set aside": workspace.tracking.troubles(),
    }


EXPECTED = {
    "mlflow": True,
    "status": "FINISHED",
    "steps": True,
    "accuracy": [1.0, 1.0],
    "params": {"depth": "3"},
    "tag": "blue",
    "files": ["a/b.txt"],
    "outputs": 2,
    "logged": ["LoggedModelStatus.READY", "LoggedModelStatus.READY"],
    "versions": [1, 2],
    "aliases": {"challenger": 2},
    "ledger": [1, 2],
    "audit": ["register", "register", "promote", "promote"],
    "set aside": [],
}


def test_dying_after_every_single_write(tmp_path: Path, uri: str, client, silent) -> None:
    workspace, deaths = filled(tmp_path / "dies", "dies"), set()
    while True:
        try:
            carry(workspace, uri, Mortal(client, deaths))
        except Died:
            continue
        break
    found = outcome(client, workspace, "dies")
    assert {**found, "logged": sorted(map(_status, found["logged"]))} == {**EXPECTED, "logged": ["READY", "READY"]}
    kinds = {name for name, *_ in deaths}
    assert kinds == {
        *("create_experiment", "create_run", "log_batch", "log_artifact", "create_registered_model"),
        *("create_logged_model", "log_model_artifacts", "finalize_logged_model", "log_outputs"),
        *("create_model_version", "set_registered_model_alias", "set_terminated"),
    }, "it died after each kind of write"
    assert len(deaths) >= 18
    workspace.close()


def _status(text: str) -> str:
    return text.rpartition(".")[2]


def test_what_mlflow_refuses_is_set_aside_and_holds_up_nothing_else(tmp_path: Path, uri: str, client, silent) -> None:
    workspace = Workspace(tmp_path)
    with workspace.tracking.start("refused", "poison") as run:
        run.params(depth=3)
    carry(workspace, uri)
    with workspace.tracking.start("fine", "poison") as fine:
        number = workspace.ledger.post("params", {"run": run.id, "params": {"depth": "4"}})
        workspace.ledger.post("tags", {"run": run.id, "tags": {"later": "yes"}})
        fine.log(auc=0.9)
    carry(workspace, uri)
    refused = message(workspace.ledger, number)
    assert (refused.standing, refused.attempts) == (MessageStatus.SET_ASIDE, ATTEMPTS)
    assert "Changing param values is not allowed" in refused.error
    assert [trouble.id for trouble in workspace.tracking.troubles()] == [number]
    assert client.get_run(workspace.tracking.run("fine").mlflow).data.metrics == {"auc": 0.9}
    assert client.get_run(workspace.tracking.run("refused").mlflow).data.tags["later"] == "yes"
    assert retry(workspace.ledger) == 1
    assert message(workspace.ledger, number).standing is MessageStatus.WAITING
    workspace.close()


def test_metrics_of_a_run_that_was_deleted_do_not_hold_up_others(tmp_path: Path, uri: str, client, silent) -> None:
    workspace = Workspace(tmp_path)
    gone = workspace.tracking.start("gone", "deleted")
    carrier = OutboxUpload(workspace.ledger, workspace.folder, uri)
    carrier.round()
    client.delete_run(workspace.tracking.run("gone").mlflow)
    gone.log(auc=0.1)
    with workspace.tracking.start("kept", "deleted") as kept:
        kept.log(auc=0.9)
    while behind(workspace.ledger) != (0, 0):
        carrier.round()
    assert client.get_run(workspace.tracking.run("kept").mlflow).data.metrics == {"auc": 0.9}
    workspace.close()


def test_a_gate_that_fails_leaves_nothing_to_carry(tmp_path: Path, silent) -> None:
    workspace = Workspace(tmp_path)
    model = LogisticRegression().fit(X, y)
    with pytest.raises(UserError, match=r"model 'churn': not registered: accuracy is 1, required < 0.5"):
        workspace.registry.register(model, "churn", data=(X, y), require=["accuracy < 0.5"])
    assert behind(workspace.ledger) == (0, 0)
    assert workspace.registry.list(fresh=False) == []
    assert list((workspace.folder / "objects").glob("*/*")) == []
    workspace.close()
