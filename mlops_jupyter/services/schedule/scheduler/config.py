"""What a scheduler process works for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.services.schedule.service import Schedules
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True)
class SchedulerConfig:
    """The project that a scheduler process serves, and the limits that it was started with.

    Attributes
    ----------
    folder : the project's `.mlops`.
    tracking_uri : MLflow's address, given to each run.
    timeout : seconds after which a run without a timeout of its own is ended; None lets it run.
    ahead : seconds added to the machine's clock (tests wait seconds instead of minutes).
    parent : the process that the scheduler ends with, or None; a Jupyter server that starts one is that.
    """

    folder: Path
    tracking_uri: str
    timeout: float | None = None
    ahead: float = 0.0
    parent: int | None = None

    def orphaned(self) -> bool:
        """Return whether the parent process has gone."""
        return self.parent is not None and os.getppid() != self.parent

    @contextmanager
    def schedules(self) -> Iterator[Schedules]:
        """Open the project's schedules for one thread."""
        ledger = Ledger(self.folder / "ledger.db")
        try:
            yield Schedules(ledger, self.folder, self.tracking_uri, lambda: time.time() + self.ahead, self.timeout)
        finally:
            ledger.close()
