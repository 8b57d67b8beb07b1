"""The project folder, opened: the one place where stores, services and integrations are joined."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.storage.objects import project_objects
from mlops_jupyter.store.ledger import Ledger

if TYPE_CHECKING:
    from mlops_jupyter.services.drift.service import Drift
    from mlops_jupyter.services.pipeline.query.step_states import Steps
    from mlops_jupyter.services.registry.service import Registry
    from mlops_jupyter.services.schedule.scheduler.service import Scheduler
    from mlops_jupyter.services.schedule.service import Schedules
    from mlops_jupyter.services.tracking.service import Tracking

FOLDER = ".mlops"


class Workspace:
    """A project: the folder that holds `.mlops/`, and the services over it, each made when first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER
        _create(self.folder)
        self.ledger = Ledger(self.folder / "ledger.db")
        self.objects = project_objects(self.folder)

    @classmethod
    def open(cls, start: Path | None = None) -> Workspace:
        """Open the project that `start` lies in: the nearest folder upward with `.mlops`, else `start` itself."""
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / FOLDER).is_dir():
                return cls(folder)
        return cls(here)

    @property
    def tracking_uri(self) -> str:
        """Where MLflow keeps runs and models: `MLFLOW_TRACKING_URI`, or the project's own database."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.folder / 'mlflow.db'}"

    @cached_property
    def tracking(self) -> Tracking:
        """Runs, parameters, metrics, artifacts."""
        from mlops_jupyter.services.tracking.service import Tracking

        return Tracking(self.ledger, self.objects, self.courier)

    @cached_property
    def registry(self) -> Registry:
        """Models, versions, aliases, gates."""
        from mlops_jupyter.services.registry.service import Registry

        return Registry(self.ledger, self.objects, self.courier)

    @cached_property
    def schedules(self) -> Schedules:
        """What runs by the clock, and what came of it."""
        from mlops_jupyter.services.schedule.service import Schedules

        return Schedules(self.ledger, self.folder, self.tracking_uri)

    @cached_property
    def scheduler(self) -> Scheduler:
        """The process that runs schedules, and backfills."""
        from mlops_jupyter.services.schedule.scheduler.service import Scheduler

        return Scheduler(self.folder, self.tracking_uri)

    @cached_property
    def steps(self) -> Steps:
        """The steps of a session, as panels see them."""
        from mlops_jupyter.services.pipeline.query.step_states import Steps

        return Steps(self.ledger)

    @cached_property
    def drift(self) -> Drift:
        """How data moved away from its reference."""
        from mlops_jupyter.services.drift.service import Drift

        return Drift(self.ledger)

    def courier(self) -> None:
        """See that a courier process is carrying the outbox to MLflow; returns at once."""
        from mlops_jupyter.integrations.mlflow.courier import ensure

        ensure(self.folder, self.tracking_uri)

    def close(self) -> None:
        """Let go of the ledger."""
        self.ledger.close()


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as fault:
        raise UserError(
            f"cannot write {str(folder)!r}: {fault.strerror}; start Jupyter in a folder that you own"
        ) from fault
