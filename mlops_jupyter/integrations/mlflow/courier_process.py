"""The courier's process: carries what is new in the ledger, waits longer while MLflow is away, goes when idle."""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.integrations.mlflow.courier import LOCK
from mlops_jupyter.runtime.model.backoff import Backoff
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.locks import try_lock, unlock
from mlops_jupyter.store.outbox import away, behind

_log = logging.getLogger("courier")

IDLE_SECONDS = "MLOPS_JUPYTER_COURIER_IDLE"
"""Environment variable: after how many seconds without work the courier goes (60 if unset)."""

LOOK_SECONDS = 0.1
BACKOFF = Backoff(first=0.5, factor=2, longest=30.0)
"""How long to wait before MLflow is tried again after it was away."""


@dataclass
class Patience:
    """Counts the tries in vain since MLflow last answered."""

    failures: int = 0

    def lost(self) -> float:
        """Count one more try in vain; return the seconds to wait before the next."""
        self.failures += 1
        return BACKOFF.pause(self.failures)

    def found(self) -> None:
        """Begin anew with the shortest wait: MLflow answered."""
        self.failures = 0


def main(folder: Path, handle: int) -> None:
    """Carry until there was nothing to carry for a while. `handle` is the open, locked lock file."""
    os.set_inheritable(handle, False)
    ledger = Ledger(folder / "ledger.db")
    while True:
        _work(folder, handle, ledger)
        unlock(handle)
        # Who posted after our last look and before this unlocking saw the lock held and counts on us.
        if behind(ledger) == (0, 0):
            return
        if not try_lock(handle, folder / LOCK):
            return  # another one has begun


def _work(folder: Path, handle: int, ledger: Ledger) -> None:
    from mlops_jupyter.integrations.mlflow.upload import OutboxUpload, UnavailableError

    uri = _wanted(handle)
    carrier: OutboxUpload | None = None
    patience, idle_since, idle = Patience(), time.monotonic(), float(os.environ.get(IDLE_SECONDS, "60"))
    _log.info("carrying %s to %s", folder, _without_password(uri))
    while time.monotonic() - idle_since < idle:
        if _wanted(handle) != uri:
            _again(folder, handle)
        try:
            if behind(ledger) != (0, 0):
                carrier = carrier or OutboxUpload(ledger, folder, uri)
                if carrier.round():
                    idle_since = time.monotonic()
                patience.found()
        except UnavailableError as fault:
            wait = patience.lost()
            away(ledger, str(fault))
            _log.warning("MLflow is away, next try in %.1f s: %s", wait, fault)
            time.sleep(wait)
            idle_since = time.monotonic()  # there is work as long as it cannot be done
        time.sleep(LOOK_SECONDS)
    _log.info("idle, going")


def _wanted(handle: int) -> str:
    return os.pread(handle, 4096, 0).decode()


def _again(folder: Path, handle: int) -> None:
    """Begin anew for another MLflow; the lock stays held, as the open file goes along."""
    os.set_inheritable(handle, True)
    os.execv(sys.executable, [sys.executable, "-P", "-m", __spec__.name, str(folder), str(handle)])


def _without_password(uri: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(uri)
    return uri.replace(f":{parts.password}@", ":***@") if parts.password else uri


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    main(Path(sys.argv[1]), int(sys.argv[2]))
