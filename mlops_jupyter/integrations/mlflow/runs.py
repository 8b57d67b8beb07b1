"""Our runs in MLflow: find or create them, and write into them."""

from __future__ import annotations

import getpass
import math
from collections.abc import Sequence
from typing import Any

from mlops_jupyter.runtime.storage.objects import ObjectStore
from mlops_jupyter.runtime.tracking import mlflow_runs
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.outbox import Message


class MlflowRuns:
    """Maps our runs to MLflow's, creating those that do not exist, and writes into them."""

    def __init__(self, ledger: Ledger, objects: ObjectStore, client: Any, uri: str) -> None:
        self._ledger = ledger
        self._objects = objects
        self._client = client
        self._uri = uri
        self._ids: dict[str, str] = {}
        self._experiments: dict[str, str] = {}
        self._clean: set[str] = set()

    def experiment(self, name: str) -> str:
        """Return MLflow's id of an experiment, which is created if it does not exist."""
        if name not in self._experiments:
            self._experiments[name] = mlflow_runs.experiment(self._client, self._uri, name)
        return self._experiments[name]

    def id(self, run: str) -> str:
        """Return MLflow's id of our run, which is found by its tag or created. Writes the id into the ledger."""
        if run not in self._ids:
            row = self._ledger.query("SELECT * FROM run WHERE id = ?", (run,))[0]
            tags = {"mlflow.user": getpass.getuser()}
            if row["notebook"]:
                tags |= {"mlflow.source.name": row["notebook"], "mlflow.source.type": "NOTEBOOK"}
            mlflow_id, created = mlflow_runs.ensure_run(
                self._client, self.experiment(row["experiment"]), run, row["name"], row["started"], tags
            )
            if created:
                self._clean.add(run)
            if row["mlflow"] != mlflow_id:
                self._ledger.execute("UPDATE run SET mlflow = ? WHERE id = ?", (mlflow_id, run))
            self._ids[run] = mlflow_id
        return self._ids[run]

    def experiment_of(self, run: str) -> str:
        """Return MLflow's id of our run's experiment."""
        return self.experiment(self._ledger.query("SELECT experiment FROM run WHERE id = ?", (run,))[0]["experiment"])

    def forget(self, run: str) -> None:
        """Forget MLflow's id of a run and what the run holds, so that the next write looks both up again."""
        self._ids.pop(run, None)
        self._clean.discard(run)

    def open(self, message: Message) -> None:
        """Create a run in MLflow as soon as it has begun."""
        self.id(message.payload["run"])

    def params(self, message: Message) -> None:
        """Write a run's parameters."""
        mlflow_runs.log_facts(self._client, self.id(message.payload["run"]), message.payload["params"], {})

    def tags(self, message: Message) -> None:
        """Write a run's tags."""
        mlflow_runs.log_facts(self._client, self.id(message.payload["run"]), {}, message.payload["tags"])

    def artifact(self, message: Message) -> None:
        """Write an artifact. Only the newest content of a path counts, so an older message does nothing."""
        run, path, digest = (message.payload[key] for key in ("run", "path", "digest"))
        newest = self._ledger.query("SELECT digest FROM artifact WHERE run = ? AND path = ?", (run, path))
        if newest and newest[0]["digest"] == digest:
            mlflow_runs.put_artifact(self._client, self.id(run), path, self._objects.get(digest))

    def end(self, message: Message) -> None:
        """End a run with the status and time that the ledger has."""
        row = self._ledger.query("SELECT * FROM run WHERE id = ?", (message.payload["run"],))[0]
        mlflow_runs.end_run(self._client, self.id(row["id"]), row["status"], row["ended"])

    def metrics(self, run: str, rows: Sequence[Any]) -> None:
        """Write metrics into a run. The first ones may already be there, written by an earlier courier that died."""
        batch = [
            (row["key"], math.nan if row["value"] is None else row["value"], round(row["time"] * 1000), row["step"])
            for row in rows
        ]
        mlflow_id = self.id(run)
        mlflow_runs.log_metrics(self._client, mlflow_id, batch, again=run not in self._clean)
        self._clean.add(run)
