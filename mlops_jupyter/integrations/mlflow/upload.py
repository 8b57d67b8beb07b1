"""Carry the ledger's messages and metrics to MLflow. Everything here is idempotent."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from mlops_jupyter.integrations.mlflow.availability import UnavailableError, is_unavailable
from mlops_jupyter.integrations.mlflow.model_registry import RegistryUpload
from mlops_jupyter.integrations.mlflow.runs import MlflowRuns
from mlops_jupyter.runtime.model.backoff import Backoff
from mlops_jupyter.runtime.storage.objects import project_objects
from mlops_jupyter.runtime.tracking import mlflow_runs
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.outbox import Message, carried, failed, waiting

__all__ = ["ATTEMPTS", "OutboxUpload", "UnavailableError"]

_log = logging.getLogger("courier")

ATTEMPTS = 5
"""How many times MLflow may refuse a message before the message is set aside."""

BACKOFF = Backoff(first=0.25, factor=2, longest=4.0)
"""The pauses before a message that MLflow refused is tried again."""


class OutboxUpload:
    """One courier's connection to one MLflow.

    A message that fails does not hold up messages of other runs and models; later messages of the same run or model
    wait for it. A message is tried again after a growing pause, and set aside after `ATTEMPTS` tries.
    """

    def __init__(self, ledger: Ledger, folder: Path, uri: str) -> None:
        # the courier retries itself: MLflow's own retries would block for minutes
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
        self._ledger = ledger
        self._uri = uri
        try:
            self._client = mlflow_runs.connect(uri)
        except Exception as fault:
            raise UnavailableError(f"cannot open {uri!r}: {fault}") from fault
        objects = project_objects(folder)
        self._runs = MlflowRuns(ledger, objects, self._client, uri)
        self._registering = RegistryUpload(ledger, objects, self._client, uri, self._runs)
        self._not_before: dict[int, float] = {}
        self._acts: Mapping[str, Callable[[Message], Mapping[str, Any] | None]] = {
            "run": self._runs.open,
            "params": self._runs.params,
            "tags": self._runs.tags,
            "artifact": self._runs.artifact,
            "metrics": self._again_metrics,
            "end": self._end,
            "register": self._registering.register,
            "alias": self._registering.alias,
            "look": self._registering.look,
        }

    def round(self) -> bool:
        """Carry what waits; say whether anything was carried. Raises `UnavailableError` if MLflow cannot be reached."""
        moved = self._metrics()
        held_up: set[object] = set()
        for message in waiting(self._ledger):
            subject = _subject(message)
            if subject in held_up or time.monotonic() < self._not_before.get(message.id, 0.0):
                held_up.add(subject)
                continue
            if self._carry(message):
                moved = True
            else:
                held_up.add(subject)
        return moved

    def _carry(self, message: Message) -> bool:
        try:
            answer = self._acts[message.kind](message)
        except Exception as fault:  # MLflow is unavailable, or this message is at fault
            if is_unavailable(self._uri, fault):
                raise UnavailableError(_line(fault)) from fault
            last = message.attempts + 1 >= ATTEMPTS
            _log.exception("%s %d, try %d%s", message.kind, message.id, message.attempts + 1, ": set aside" * last)
            failed(self._ledger, message.id, _line(fault), last=last)
            self._not_before[message.id] = time.monotonic() + BACKOFF.pause(message.attempts + 1)
            return last
        if message.kind not in self._registering.settles:
            carried(self._ledger, message.id, answer)
        return True

    def _metrics(self) -> bool:
        """Carry metrics from the high-water mark on. A run's batch that MLflow refuses becomes a message."""
        moved = False
        while True:
            mark = self._ledger.query("SELECT carried_metric FROM courier")[0]["carried_metric"]
            rows = self._ledger.query(
                "SELECT * FROM metric WHERE id > ? ORDER BY id LIMIT ?", (mark, mlflow_runs.BATCH)
            )
            if not rows:
                return moved
            refused = []
            for run, part in groupby(sorted(rows, key=lambda row: (row["run"], row["id"])), key=lambda row: row["run"]):
                batch = list(part)
                try:
                    self._runs.metrics(run, batch)
                except Exception as fault:
                    if is_unavailable(self._uri, fault):
                        raise UnavailableError(_line(fault)) from fault
                    _log.exception("metrics of run %s", run)
                    refused.append({"run": run, "first": batch[0]["id"], "last": batch[-1]["id"]})
            with self._ledger.transaction():
                for payload in refused:
                    self._ledger.post("metrics", payload)
                self._ledger.execute("UPDATE courier SET carried_metric = ?", (rows[-1]["id"],))
            moved = True

    def _again_metrics(self, message: Message) -> None:
        payload = message.payload
        rows = self._ledger.query(
            "SELECT * FROM metric WHERE run = ? AND id BETWEEN ? AND ? ORDER BY id",
            (payload["run"], payload["first"], payload["last"]),
        )
        self._runs.forget(payload["run"])
        self._runs.metrics(payload["run"], rows)

    def _end(self, message: Message) -> None:
        self._metrics()  # whoever sees a run closed finds its metrics there
        self._runs.end(message)


def _subject(message: Message) -> object:
    return message.payload.get("run") or message.payload.get("model") or message.id


def _line(fault: Exception) -> str:
    return " ".join(f"{type(fault).__name__}: {fault}".split())[:500]
