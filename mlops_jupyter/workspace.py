"""The workspace of a project folder: the one place where stores, services and integrations are joined.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

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
"""Name of the folder that holds a project's ledger and objects."""


class Workspace:
    """A project: the folder that holds `.mlops/`, and the services over it, each created on first access.

    Attributes
    ----------
    root : the project's folder.
    folder : the `.mlops` folder in it.
    ledger : the ledger of the project.
    objects : the object store of the project.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER
        _create(self.folder)
        self.ledger = Ledger(self.folder / "ledger.db")
        self.objects = project_objects(self.folder)

    @classmethod
    def open(cls, start: Path | None = None) -> Workspace:
        """Open the project of `start` (by default the working directory): the nearest folder upward with `.mlops`.

        If there is none, `start` itself becomes a project.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / FOLDER).is_dir():
                return cls(folder)
        return cls(here)

    @property
    def tracking_uri(self) -> str:
        """The tracking URI of MLflow: `MLFLOW_TRACKING_URI`, or else the project's own database."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.folder / 'mlflow.db'}"

    @cached_property
    def tracking(self) -> Tracking:
        """The tracking service: runs, parameters, metrics, artifacts."""
        from mlops_jupyter.services.tracking.service import Tracking

        return Tracking(self.ledger, self.objects, self.courier)

    @cached_property
    def registry(self) -> Registry:
        """The model registry: models, versions, aliases, gates."""
        from mlops_jupyter.services.registry.service import Registry

        return Registry(self.ledger, self.objects, self.courier)

    @cached_property
    def schedules(self) -> Schedules:
        """The schedules and the runs that they started."""
        from mlops_jupyter.services.schedule.service import Schedules

        return Schedules(self.ledger, self.folder, self.tracking_uri)

    @cached_property
    def scheduler(self) -> Scheduler:
        """The scheduler: it runs the schedules that fall due, and backfills."""
        from mlops_jupyter.services.schedule.scheduler.service import Scheduler

        return Scheduler(self.folder, self.tracking_uri)

    @cached_property
    def steps(self) -> Steps:
        """The states of a session's steps, for panels."""
        from mlops_jupyter.services.pipeline.query.step_states import Steps

        return Steps(self.ledger)

    @cached_property
    def drift(self) -> Drift:
        """The drift service: checks of data against a reference."""
        from mlops_jupyter.services.drift.service import Drift

        return Drift(self.ledger)

    def courier(self) -> None:
        """Start the courier process, which delivers the outbox to MLflow, unless it runs; do not wait for it."""
        from mlops_jupyter.integrations.mlflow.courier import ensure

        ensure(self.folder, self.tracking_uri)

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()


def _create(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        _make_private(folder)
    except OSError as fault:
        raise UserError(
            f"cannot write {str(folder)!r}: {fault.strerror}; start Jupyter in a folder that you own"
        ) from fault


def _make_private(folder: Path) -> None:
    """Let nobody but the owner read the record, which holds the text of cells; older versions made it readable."""
    for path in (folder, *(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())):
        state = path.stat()
        if state.st_uid == os.getuid() and state.st_mode & 0o077:
            path.chmod(state.st_mode & 0o700)
