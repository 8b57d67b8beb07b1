"""Our runs in MLflow: which is which, and what is written into them."""

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
    """Knows MLflow's id of each of our runs, making the run where there is none."""

    def __init__(self, ledger: Ledger, objects: ObjectStore, client: Any, uri: str) -> None:
        self._ledger = ledger
        self._objects = objects
        self._client = client
        self._uri = uri
        self._ids: dict[str, str] = {}
        self._experiments: dict[str, str] = {}
        self._clean: set[str] = set()

    def experiment(self, name: str) -> str:
        """Return MLflow's id of an experiment, made if there is none."""
        if name not in self._experiments:
            self._experiments[name] = mlflow_runs.experiment(self._client, self._uri, name)
        return self._experiments[name]

    def id(self, run: str) -> str:
        """Return MLflow's id of our run; the run is found by its tag, or made. Keeps the id in the ledger."""
        if run not in self._ids:
            row = self._ledger.query("SELECT * FROM run WHERE id = ?", (run,))[0]
            tags = {"mlflow.user": getpass.getuser()}
            if row["notebook"]:
                tags |= {"mlflow.source.name": row["notebook"], "mlflow.source.type": "NOTEBOOK"}
            found, made = mlflow_runs.ensure_run(
                self._client, self.experiment(row["experiment"]), run, row["name"], row["started"], tags
            )
            if made:
                self._clean.add(run)
            if row["mlflow"] != found:
                self._ledger.execute("UPDATE run SET mlflow = ? WHERE id = ?", (found, run))
            self._ids[run] = found
        return self._ids[run]

    def experiment_of(self, run: str) -> str:
        """Return MLflow's id of the experiment that our run is of."""
        return self.experiment(self._ledger.query("SELECT experiment FROM run WHERE id = ?", (run,))[0]["experiment"])

    def forget(self, run: str) -> None:
        """Look the run up again, and what it holds, before anything more is written into it."""
        self._ids.pop(run, None)
        self._clean.discard(run)

    def open(self, message: Message) -> None:
        """Show a run as soon as it has begun."""
        self.id(message.payload["run"])

    def params(self, message: Message) -> None:
        """Write parameters."""
        mlflow_runs.log_facts(self._client, self.id(message.payload["run"]), message.payload["params"], {})

    def tags(self, message: Message) -> None:
        """Write tags."""
        mlflow_runs.log_facts(self._client, self.id(message.payload["run"]), {}, message.payload["tags"])

    def artifact(self, message: Message) -> None:
        """Write a file. Of one path only the newest content counts, so an older message does nothing."""
        run, path, digest = (message.payload[key] for key in ("run", "path", "digest"))
        now = self._ledger.query("SELECT digest FROM artifact WHERE run = ? AND path = ?", (run, path))
        if now and now[0]["digest"] == digest:
            mlflow_runs.put_artifact(self._client, self.id(run), path, self._objects.get(digest))

    def end(self, message: Message) -> None:
        """Close a run as the ledger has it."""
        row = self._ledger.query("SELECT * FROM run WHERE id = ?", (message.payload["run"],))[0]
        mlflow_runs.end_run(self._client, self.id(row["id"]), row["status"], row["ended"])

    def metrics(self, run: str, rows: Sequence[Any]) -> None:
        """Write metrics. The first that this courier writes into a run may have been written by one that died."""
        batch = [
            (row["key"], math.nan if row["value"] is None else row["value"], round(row["time"] * 1000), row["step"])
            for row in rows
        ]
        found = self.id(run)
        mlflow_runs.log_metrics(self._client, found, batch, again=run not in self._clean)
        self._clean.add(run)
