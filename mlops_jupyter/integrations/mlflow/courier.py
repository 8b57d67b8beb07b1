"""Start the courier: one process per project that carries messages to MLflow, and exits when idle.

The lock is handed over, not taken: a process that finds `.mlops/courier.lock` free locks it and starts the courier with
the locked file open. So the lock always has a holder, and there is never a second courier (flock(2): the lock belongs
to the open file, which the child inherits). The file's content is the present address of MLflow.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mlops_jupyter.runtime.storage.atomic import private
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.locks import try_lock
from mlops_jupyter.store.outbox import behind, wait

__all__ = ["LOCK", "LOG", "ensure", "flush", "wait"]

LOCK = "courier.lock"
LOG = "courier.log"
LOG_BYTES = 1_000_000
"""Size in bytes above which the log is begun anew."""

_started: list[subprocess.Popen[bytes]] = []


def ensure(folder: Path, tracking_uri: str) -> None:
    """Make sure that a courier carries this project's ledger to an MLflow; return at once.

    Parameters
    ----------
    folder : the project's `.mlops`.
    tracking_uri : MLflow's address.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        address = _absolute(tracking_uri).encode()
        if os.pread(handle, len(address) + 1, 0) != address:
            os.pwrite(handle, address, 0)
            os.ftruncate(handle, len(address))
        if try_lock(handle, folder / LOCK):  # else a courier is running
            _start(folder, handle)
    finally:
        os.close(handle)


def _absolute(uri: str) -> str:
    """Return an address with an absolute path, which means the same in the courier's working directory."""
    if uri.startswith("sqlite:///"):
        path, mark, rest = uri.removeprefix("sqlite:///").partition("?")
        return f"sqlite:///{os.path.abspath(path)}{mark}{rest}"  # noqa: PTH100 (no links are to be followed)
    return uri if ":" in uri else os.path.abspath(uri)  # noqa: PTH100


def _start(folder: Path, handle: int) -> None:
    _started[:] = [process for process in _started if process.poll() is None]
    log = folder / LOG
    fresh = not log.exists() or log.stat().st_size > LOG_BYTES
    package = str(Path(__file__).parents[3])  # the child finds the package that this process found
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    with open(log, "wb" if fresh else "ab", opener=private) as stream:
        _started.append(
            subprocess.Popen(
                # -P: a file of the user's folder must not pass for a library
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "mlops_jupyter.integrations.mlflow.courier_process",
                    str(folder),
                    str(handle),
                ],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=(handle,),
                start_new_session=True,  # it outlives the kernel, and what is sent to the kernel's group
            )
        )


def flush(folder: Path, tracking_uri: str, timeout: float, progress: Callable[[float], None] | None = None) -> bool:
    """Wait until everything has arrived in MLflow or was set aside, at most `timeout` seconds; say whether it has."""
    ledger = Ledger(folder / "ledger.db")
    try:
        began = time.monotonic()
        while behind(ledger) != (0, 0):
            waited = time.monotonic() - began
            if waited > timeout:
                return False
            ensure(folder, tracking_uri)
            if progress:
                progress(waited)
            time.sleep(0.1)
        return True
    finally:
        ledger.close()
