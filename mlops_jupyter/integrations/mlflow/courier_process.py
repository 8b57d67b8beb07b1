"""The courier's process: carry what is new in the ledger, back off while MLflow is unavailable, exit when idle.

It also exits when its project is gone: the folder was deleted, or moved.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.integrations.mlflow.courier import LOCK
from mlops_jupyter.runtime.model.backoff import Backoff
from mlops_jupyter.store.ledger import Ledger, LedgerError
from mlops_jupyter.store.locks import try_lock, unlock
from mlops_jupyter.store.outbox import away, behind

_log = logging.getLogger("courier")

IDLE_SECONDS = "MLOPS_JUPYTER_COURIER_IDLE"
"""Environment variable: the seconds without work after which the courier exits (60 if unset)."""

LEAST_IDLE_SECONDS = 0.2
"""It looks once at least before it goes: what it was started for is waiting."""

LOOK_SECONDS = 0.1
BACKOFF = Backoff(first=0.5, factor=2, longest=30.0)
"""The pauses between tries while MLflow is unavailable."""


@dataclass
class Patience:
    """Counts the failed tries since MLflow last answered."""

    failures: int = 0

    def lost(self) -> float:
        """Count one more failed try; return the seconds to wait before the next."""
        self.failures += 1
        return BACKOFF.pause(self.failures)

    def found(self) -> None:
        """Reset the count, because MLflow answered: the next pause is the shortest again."""
        self.failures = 0


def main(folder: Path, handle: int) -> None:
    """Carry until there is nothing to carry for a while. `handle` is the file descriptor of the locked lock file."""
    os.set_inheritable(handle, False)
    ledger = Ledger(folder / "ledger.db")
    while True:
        _work(folder, handle, ledger)
        if not _has_project(folder, handle):
            _log.info("the project is gone, going")
            return
        unlock(handle)
        # Who posted after our last look and before this unlocking saw the lock held and counts on us.
        if behind(ledger) == (0, 0):
            return
        if not try_lock(handle, folder / LOCK):
            return  # another courier has started


def _work(folder: Path, handle: int, ledger: Ledger) -> None:
    from mlops_jupyter.integrations.mlflow.upload import OutboxUpload, UnavailableError

    uri = _wanted(handle)
    upload: OutboxUpload | None = None
    patience, idle_since = Patience(), time.monotonic()
    idle = max(LEAST_IDLE_SECONDS, float(os.environ.get(IDLE_SECONDS, "60")))
    _log.info("carrying %s to %s", folder, _without_password(uri))
    while time.monotonic() - idle_since < idle and _has_project(folder, handle):
        if _wanted(handle) != uri:
            _again(folder, handle)
        try:
            if behind(ledger) != (0, 0):
                upload = upload or OutboxUpload(ledger, folder, uri)
                if upload.round():
                    idle_since = time.monotonic()
                patience.found()
        except UnavailableError as fault:
            wait = patience.lost()
            with suppress(LedgerError):  # what waits is on the record; why it waits need not be
                away(ledger, str(fault))
            _log.warning("MLflow is away, next try in %.1f s: %s", wait, fault)
            time.sleep(wait)
            idle_since = time.monotonic()  # waiting for MLflow is not being idle
        except LedgerError as fault:
            wait = patience.lost()
            _log.warning("next try in %.1f s: %s", wait, fault)
            time.sleep(wait)
        time.sleep(LOOK_SECONDS)
    _log.info("idle, going")


def _has_project(folder: Path, handle: int) -> bool:
    """Say whether the locked file is still the one of the project's folder, which may have been deleted or moved."""
    try:
        return os.path.samestat((folder / LOCK).stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _wanted(handle: int) -> str:
    return os.pread(handle, 4096, 0).decode()


def _again(folder: Path, handle: int) -> None:
    """Restart this process for another MLflow. The lock stays held, because the open file is inherited."""
    os.set_inheritable(handle, True)
    os.execv(sys.executable, [sys.executable, "-P", "-m", __spec__.name, str(folder), str(handle)])


def _without_password(uri: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(uri)
    return uri.replace(f":{parts.password}@", ":***@") if parts.password else uri


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    main(Path(sys.argv[1]), int(sys.argv[2]))
