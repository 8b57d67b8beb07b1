"""The registry service: evaluate models, register them, promote them to aliases, and roll back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.ids import new_id
from mlops_jupyter.runtime.storage.objects import ObjectStore
from mlops_jupyter.runtime.tracking import gates, model_file
from mlops_jupyter.services.registry.aliases import check_alias, check_name, holders, previous, split
from mlops_jupyter.services.registry.views import ModelVersion, ModelView, read
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.outbox import Message, MessageStatus, wait

Progress = Callable[[float], None]
Models = list[ModelView]

ANSWER_SECONDS = 60.0
"""Seconds to wait for an answer of MLflow: its first import and creating its database take up to twenty."""

LOOK_SECONDS = 20.0
"""Seconds to wait for MLflow's own view before the ledger's is shown."""


class Registry:
    """The verbs of the registry. MLflow is the system of record: a change is made when MLflow confirms it.

    While MLflow is away, a registration or promotion is `pending` and completes when MLflow is back.
    """

    def __init__(self, ledger: Ledger, objects: ObjectStore, courier: Callable[[], None]) -> None:
        self._ledger = ledger
        self._objects = objects
        self._courier = courier

    def register(
        self,
        model: Any,
        name: str,
        alias: str | None = None,
        data: tuple[Any, Any] | None = None,
        require: Sequence[str] = (),
        run: str | None = None,
        timeout: float = ANSWER_SECONDS,
        progress: Progress | None = None,
    ) -> ModelVersion:
        """Evaluate a model on held-out data and, if it meets every requirement, register it as the next version.

        Parameters
        ----------
        data : features and targets; also the source of the signature and of the input example.
        require : lines such as "accuracy >= 0.9" (see `gates.evaluate` for the metrics there are).
        run : our id of the run that made the model.
        timeout : seconds to wait for MLflow's version number.
        progress : called with the seconds waited so far.

        Raises
        ------
        UserError
            If a requirement is not met (the message has the numbers; nothing is registered), a name is invalid, the
            model is not fitted, or MLflow refused it.
        """
        check_name(name)
        if alias is not None:
            check_alias(alias)
        try:
            gates.check_model(model)
            metrics = gates.judge(model, data, require)
        except gates.GateError as fault:
            raise UserError(f"model {name!r}: {fault}") from None
        key, message = self._post(model, name, alias, data, metrics, require, run)
        self._courier()
        arrived = wait(self._ledger, message, timeout, progress)
        if arrived.standing is MessageStatus.SET_ASIDE:
            raise UserError(f"model {name!r} is not registered: MLflow refused it: {arrived.error}")
        return next(v for m in self._read(name) for v in m.versions if v.id == key)

    def _post(
        self,
        model: Any,
        name: str,
        alias: str | None,
        data: tuple[Any, Any] | None,
        metrics: Mapping[str, float],
        require: Sequence[str],
        run: str | None,
    ) -> tuple[str, int]:
        """Store the model and its facts, and post a message; return (our id of the version, the message's id)."""
        import pickle

        file = model_file.save(model)
        example = model_file.example(model, data[0]) if data is not None else None
        facts = {
            "alias": alias,
            "metrics": dict(metrics),
            "require": [require] if isinstance(require, str) else list(require),
            "requirements": model_file.requirements(model),
            "trusted": file.trusted,
            "note": file.note,
            "example": self._objects.put(pickle.dumps(example)) if example is not None else None,
        }
        digest, key = self._objects.put(file.data), new_id()
        with self._ledger.transaction():
            self._ledger.execute(
                "INSERT INTO model_version (id, model, run, digest, format, created, facts)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key, name, run, digest, file.format, time.time(), json.dumps(facts)),
            )
            self._ledger.audit("register", name, {"id": key, "alias": alias, "metrics": dict(metrics)})
            return key, self._ledger.post("register", {"id": key, "model": name})

    def list(self, fresh: bool = True, progress: Progress | None = None) -> Models:
        """Return all registered models. `fresh` asks MLflow first, so that versions of scheduled runs are included."""
        return self._read(None, self._look(None, progress) if fresh else None)

    def show(self, name: str, fresh: bool = True, progress: Progress | None = None) -> ModelView:
        """Return one model; raise `NotFoundError`, which names those there are, if there is none of that name."""
        models = self._read(name, self._look(name, progress) if fresh else None)
        if not models:
            known = [model.name for model in self._read(None)]
            raise NotFoundError(f"no model {name!r}: there are {', '.join(known) or 'none yet'}")
        return models[0]

    def promote(
        self, address: str, version: int, timeout: float = ANSWER_SECONDS, progress: Progress | None = None
    ) -> ModelView:
        """Promote a version: point an alias (`churn@champion`) at it.

        Raises
        ------
        NotFoundError
            If there is no such model or version; the line names those there are.
        UserError
            If MLflow is away (the change is pending then), or refused the change.
        """
        name, _ = split(address)
        known = [v.version for v in self.show(name, progress=progress).versions if v.version is not None]
        if version not in known:
            numbers = ", ".join(str(number) for number in known)
            raise NotFoundError(f"model {name!r} has no version {version}: it has {numbers or 'none yet'}")
        return self._set(address, version, "promote", timeout, progress)

    def rollback(self, address: str, timeout: float = ANSWER_SECONDS, progress: Progress | None = None) -> ModelView:
        """Roll an alias back to the version that held it before; a further rollback goes back one version more."""
        name, alias = split(address)
        model = self.show(name, progress=progress)
        stack = holders(self._ledger, address)
        holder = model.aliases.get(alias)
        if holder is not None and stack[-1:] != [holder]:
            stack.append(holder)  # set in MLflow itself, or by a scheduled run
        if not stack:
            known = ", ".join(model.aliases) or "none"
            raise NotFoundError(f"model {name!r} has no alias {alias!r}: there are {known}")
        return self._set(address, previous(stack, address), "rollback", timeout, progress)

    def _set(self, address: str, version: int, verb: str, timeout: float, progress: Progress | None) -> ModelView:
        name, alias = split(address)
        payload = {"model": name, "alias": alias, "version": version, "verb": verb}
        number = self._ledger.post("alias", payload)
        self._courier()
        arrived = wait(self._ledger, number, timeout, progress)
        if arrived.standing is MessageStatus.SET_ASIDE:
            raise UserError(f"{address!r} is not changed: MLflow refused: {arrived.error}")
        if arrived.standing is MessageStatus.WAITING:
            raise UserError(f"{address!r} is pending: MLflow does not answer, and will be told when it is back")
        return self._read(name)[0]

    def _look(self, name: str | None, progress: Progress | None) -> Mapping[str, Mapping[str, int]] | None:
        """Let MLflow's versions enter the ledger, and return its aliases; None if it does not answer in time."""
        number = self._ledger.post("look", {"look": name} if name is None else {"look": name, "model": name})
        self._courier()
        arrived: Message = wait(self._ledger, number, LOOK_SECONDS, progress)
        if arrived.standing is MessageStatus.WAITING:
            self._ledger.execute("DELETE FROM outbox WHERE id = ? AND done IS NULL", (number,))
        return arrived.answer["aliases"] if arrived.answer else None

    def _read(self, name: str | None, aliases: Mapping[str, Mapping[str, int]] | None = None) -> Models:
        return read(self._ledger, self._aliases() if aliases is None else aliases, name)

    def _aliases(self) -> dict[str, dict[str, int]]:
        """Return the aliases as this project last changed them, without asking MLflow."""
        aliases: dict[str, dict[str, int]] = {}
        for row in self._ledger.query("SELECT DISTINCT subject FROM audit WHERE verb IN ('promote', 'rollback')"):
            name, _, alias = row["subject"].partition("@")
            stack = holders(self._ledger, row["subject"])
            if stack:
                aliases.setdefault(name, {})[alias] = stack[-1]
        return aliases
