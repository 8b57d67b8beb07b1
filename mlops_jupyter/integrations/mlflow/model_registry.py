"""Carry model versions and aliases to MLflow, and MLflow's own versions back into the ledger."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.integrations.mlflow.runs import MlflowRuns
from mlops_jupyter.runtime.storage.objects import ObjectStore
from mlops_jupyter.runtime.tracking import mlflow_models
from mlops_jupyter.runtime.tracking.model_file import ModelFile
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.outbox import Message, carried


class RegistryUpload:
    """Carries registrations and aliases. MLflow's answer enters the ledger in the transaction that ends the message."""

    settles = ("register", "alias")
    """Kinds of messages that this class ends itself, in one transaction with their results."""

    def __init__(self, ledger: Ledger, objects: ObjectStore, client: Any, uri: str, runs: MlflowRuns) -> None:
        self._ledger = ledger
        self._objects = objects
        self._client = client
        self._uri = uri
        self._runs = runs

    def register(self, message: Message) -> None:
        """Register a model version, and write its version number into the ledger."""
        row = self._ledger.query("SELECT * FROM model_version WHERE id = ?", (message.payload["id"],))[0]
        facts = json.loads(row["facts"])
        file = ModelFile(row["format"], self._objects.get(row["digest"]), trusted=tuple(facts.get("trusted", ())))
        run, alias = row["run"], facts.get("alias")
        before = self._holder(row["model"], alias) if alias else None
        version = mlflow_models.register(
            self._client,
            mlflow_models.Registration(
                id=row["id"],
                name=row["model"],
                file=file,
                experiment=self._runs.experiment_of(run) if run else self._runs.experiment("default"),
                created=row["created"],
                run=self._runs.id(run) if run else None,
                metrics={key: float(value) for key, value in facts.get("metrics", {}).items()},
                # made by this project's own registry, and checked against its digest on reading
                example=pickle.loads(self._objects.get(facts["example"])) if facts.get("example") else None,
                requirements=facts.get("requirements", ()),
                alias=alias,
            ),
        )
        with self._ledger.transaction():
            self._ledger.execute("UPDATE model_version SET version = ? WHERE id = ?", (version, row["id"]))
            if alias:
                self._note(row["model"], alias, version, before, "promote")
            carried(self._ledger, message.id, {"version": version})

    def alias(self, message: Message) -> None:
        """Point an alias at a version, and record in the audit log which version held it before."""
        model, alias, verb = (message.payload[key] for key in ("model", "alias", "verb"))
        version = int(message.payload["version"])
        before = self._holder(model, alias)
        self._client.set_registered_model_alias(model, alias, str(version))
        with self._ledger.transaction():
            self._note(model, alias, version, before, verb)
            carried(self._ledger, message.id, {"version": version, "before": before})

    def _holder(self, model: str, alias: str) -> int | None:
        from mlflow.exceptions import MlflowException

        try:
            return int(self._client.get_model_version_by_alias(model, alias).version)
        except MlflowException as fault:
            if fault.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise

    def _note(self, model: str, alias: str, version: int, before: int | None, verb: str) -> None:
        self._ledger.audit(verb, f"{model}@{alias}", {"version": version, "before": before})

    def look(self, message: Message) -> Mapping[str, Any]:
        """Read one model or all from MLflow; return their aliases. Versions registered elsewhere enter the ledger."""
        requested = message.payload.get("model")
        models = [m for m in self._client.search_registered_models(max_results=1000) if requested in (None, m.name)]
        versions_of = {model.name: self._versions(model.name) for model in models}
        with self._ledger.transaction():
            for name, versions in versions_of.items():
                for version in versions:
                    self._learn(name, version)
        aliases = {m.name: {alias: int(version) for alias, version in (m.aliases or {}).items()} for m in models}
        return {"aliases": aliases, "time": time.time()}

    def _versions(self, name: str) -> list[Any]:
        return list(self._client.search_model_versions(f"name = '{name}'", max_results=1000))

    def _learn(self, name: str, version: Any) -> None:
        ours = version.tags.get(mlflow_models.VERSION_TAG, "")
        number = int(version.version)
        if self._ledger.query(
            "SELECT 1 FROM model_version WHERE model = ? AND (version = ? OR id = ?)", (name, number, ours)
        ):
            return
        metrics = {k.removeprefix("metrics."): v for k, v in version.tags.items() if k.startswith("metrics.")}
        facts = {"metrics": metrics, "source": version.source}
        self._ledger.execute(
            "INSERT OR IGNORE INTO model_version (id, model, version, run, digest, format, created, facts)"
            " VALUES (?, ?, ?, NULL, '', 'mlflow', ?, ?)",
            (ours or f"{name}/{number}", name, number, version.creation_timestamp / 1000, json.dumps(facts)),
        )
