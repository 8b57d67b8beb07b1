"""Models: judged, registered, named by aliases, and put back."""

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
"""How long an answer of MLflow is waited for: its first import and the making of its database take up to twenty."""

LOOK_SECONDS = 20.0
"""How long MLflow's own view is waited for before the ledger's is shown."""


class Registry:
    """The verbs of the registry. MLflow is the system of record: what is changed has changed when it says so.

    While MLflow is away, a registration or promotion is `pending` and completes when it is back.
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
        """Judge a model on held-out data and, if it meets every requirement, register it as the next version.

        Parameters
        ----------
        data : features and targets; also the source of the signature and of the input example.
        require : lines such as "accuracy >= 0.9" (see `gates.evaluate` for the metrics there are).
        run : our id of the run that it came from.
        timeout : seconds to wait for MLflow's number.

        Raises
        ------
        UserError
            A requirement is not met (with the numbers; nothing is registered), a name is none, the model is not fitted,
            or MLflow refused it.
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
        """Keep the model and its facts, and tell the courier; return (our id of the version, the message's)."""
        import pickle

        file = model_file.save(model)
        shown = model_file.example(model, data[0]) if data is not None else None
        facts = {
            "alias": alias,
            "metrics": dict(metrics),
            "require": [require] if isinstance(require, str) else list(require),
            "requirements": model_file.requirements(model),
            "trusted": file.trusted,
            "note": file.note,
            "example": self._objects.put(pickle.dumps(shown)) if shown is not None else None,
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
        """Return every registered model. `fresh`: ask MLflow first, so that versions of scheduled runs show too."""
        return self._read(None, self._look(None, progress) if fresh else None)

    def show(self, name: str, fresh: bool = True, progress: Progress | None = None) -> ModelView:
        """Return one model; raise `NotFoundError` naming those there are."""
        found = self._read(name, self._look(name, progress) if fresh else None)
        if not found:
            known = [model.name for model in self._read(None)]
            raise NotFoundError(f"no model {name!r}: there are {', '.join(known) or 'none yet'}")
        return found[0]

    def promote(
        self, address: str, version: int, timeout: float = ANSWER_SECONDS, progress: Progress | None = None
    ) -> ModelView:
        """Let an alias (`churn@champion`) name a version.

        Raises
        ------
        NotFoundError
            There is no such model or version; the line names those there are.
        UserError
            MLflow is away (the change is pending then), or refused.
        """
        name, _ = split(address)
        known = [v.version for v in self.show(name, progress=progress).versions if v.version is not None]
        if version not in known:
            numbers = ", ".join(str(number) for number in known)
            raise NotFoundError(f"model {name!r} has no version {version}: it has {numbers or 'none yet'}")
        return self._set(address, version, "promote", timeout, progress)

    def rollback(self, address: str, timeout: float = ANSWER_SECONDS, progress: Progress | None = None) -> ModelView:
        """Give an alias back to who held it before; again: to the one before that."""
        name, alias = split(address)
        shown = self.show(name, progress=progress)
        stack = holders(self._ledger, address)
        now = shown.aliases.get(alias)
        if now is not None and stack[-1:] != [now]:
            stack.append(now)  # set in MLflow itself, or by a scheduled run
        if not stack:
            there = ", ".join(shown.aliases) or "none"
            raise NotFoundError(f"model {name!r} has no alias {alias!r}: there are {there}")
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
        """Ask MLflow for its versions (they enter the ledger) and aliases; None where it does not answer in time."""
        number = self._ledger.post("look", {"look": name} if name is None else {"look": name, "model": name})
        self._courier()
        arrived: Message = wait(self._ledger, number, LOOK_SECONDS, progress)
        if arrived.standing is MessageStatus.WAITING:
            self._ledger.execute("DELETE FROM outbox WHERE id = ? AND done IS NULL", (number,))
        return arrived.answer["aliases"] if arrived.answer else None

    def _read(self, name: str | None, aliases: Mapping[str, Mapping[str, int]] | None = None) -> Models:
        return read(self._ledger, self._aliases() if aliases is None else aliases, name)

    def _aliases(self) -> dict[str, dict[str, int]]:
        """Return the aliases as this project last changed them: what is known without asking MLflow."""
        found: dict[str, dict[str, int]] = {}
        for row in self._ledger.query("SELECT DISTINCT subject FROM audit WHERE verb IN ('promote', 'rollback')"):
            name, _, alias = row["subject"].partition("@")
            stack = holders(self._ledger, row["subject"])
            if stack:
                found.setdefault(name, {})[alias] = stack[-1]
        return found
