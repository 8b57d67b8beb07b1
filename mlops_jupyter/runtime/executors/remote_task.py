"""The task that a cluster's worker performs for a job: unpack the bundle, run its command `step NAME` in a process.

This module is pickled by value, so that workers need no package of ours. Hence it imports the standard library alone.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 5.0
"""How long a stopped step may take to end by itself before it is killed."""

LONGEST_NAP_SECONDS = 0.05


@dataclass(frozen=True)
class RemoteTask:
    """One step for a worker to run.

    Attributes
    ----------
    package : name of the bundle's package.
    words : words of the command line after `python -m PACKAGE`.
    environment : environment variables to set.
    store : address of the store.
    code : digest of the archive of the bundle's code in the store.
    """

    package: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    store: str
    code: str


def perform(
    errand: RemoteTask, began: Callable[[subprocess.Popen[bytes]], object] = lambda process: None
) -> tuple[int, str]:
    """Perform a remote task; return the command's exit code and the last line of its standard error.

    Parameters
    ----------
    began : called with the process, for executors that end a task from another thread.
    """
    home = _unpacked(errand)
    environment = {**os.environ, **errand.environment, "PYTHONPATH": str(home)}
    command = [sys.executable, "-m", errand.package, *errand.words, "--parent", str(os.getpid())]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        began(process)
        try:
            _await(process)
        except BaseException:
            end(process)
            raise
        errors.seek(max(0, errors.tell() - 4000))
        return process.returncode, errors.read().decode(errors="replace").strip().rpartition("\n")[2]


def _await(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process in short sleeps: a worker that is told to stop does not wake from a longer one."""
    nap = 0.001
    while process.poll() is None:
        time.sleep(nap)
        nap = min(2 * nap, LONGEST_NAP_SECONDS)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command with SIGTERM, upon which it ends what it started; kill it if that takes too long."""
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _unpacked(errand: RemoteTask) -> Path:
    """Return the folder of the bundle's code on this machine; unpack the code if it is not there yet."""
    room = Path(tempfile.gettempdir(), f"mlops-bundles-{os.getuid() if hasattr(os, 'getuid') else 0}")
    room.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and room.stat().st_uid != os.getuid():
        raise RuntimeError(f"{room} belongs to another user")
    home = room / errand.code[:32]
    if not home.is_dir():
        with tempfile.TemporaryDirectory(dir=room) as beside:
            zipfile.ZipFile(io.BytesIO(_code(errand))).extractall(Path(beside, "src"))
            try:
                Path(beside, "src").rename(home)
            except OSError:
                if not home.is_dir():  # else another worker was faster
                    raise
    return home


def _code(errand: RemoteTask) -> bytes:
    path = f"{errand.store.rstrip('/')}/objects/{errand.code[:2]}/{errand.code[2:]}"
    try:
        if "://" in path:
            import fsspec  # type: ignore[import-untyped, unused-ignore]

            with fsspec.open(path) as stream:
                data: bytes = stream.read()
        else:
            data = Path(path).read_bytes()
    except FileNotFoundError:
        raise RuntimeError(f"the store {errand.store!r} is another one there: give a shared folder") from None
    if hashlib.blake2b(data, digest_size=32).hexdigest() != errand.code:
        raise RuntimeError(f"the bundle's code in the store {errand.store!r} is damaged: run again")
    return data
