"""A clean process of a bundle: its environment, its commands, their answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.bundle.read import StoredBundle

Progress = Callable[[str], None]

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TZ")
"""Environment variables that a clean process inherits; those that a notebook reads are captured."""


@dataclass(frozen=True)
class BundleProcess:
    """Runs a bundle's commands, each in a clean process.

    Attributes
    ----------
    python : path of the interpreter.
    lent : a folder from which `check` imports what the kernel's fingerprints need; None where the interpreter has it.
    """

    bundle: StoredBundle
    python: str
    progress: Progress
    lent: Path | None = None

    def call(self, words: Sequence[str]) -> dict[str, Any]:
        """Run one command; return its answer, read from JSON.

        Parameters
        ----------
        words : the command and its arguments.
        """
        environment = {k: v for k in (*KEPT, *self.bundle.secrets) if (v := os.environ.get(k)) is not None}
        lent = self.lent if words[0] == "check" else None
        path = os.pathsep.join(map(str, filter(None, ((self.bundle.folder / "src").absolute(), lent))))
        environment |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= self.bundle.variables
        with tempfile.TemporaryDirectory(prefix="verify-cwd-") as here:
            command = [self.python, "-m", self.bundle.package, *words, "--json"]
            printed, lines, code = run_command(command, environment, self.progress, here)
        try:
            answer: dict[str, Any] = json.loads(printed)
        except ValueError:
            return {"status": "failed", "error": lines[-1] if lines else f"exit code {code}"}
        return answer


@contextmanager
def clean_process(bundle: StoredBundle, fresh_env: bool, progress: Progress) -> Iterator[BundleProcess]:
    """Lend a process for a bundle's commands.

    Parameters
    ----------
    fresh_env : build an environment from requirements.lock first, and run in that.

    Raises
    ------
    UserError
        The environment cannot be built.
    """
    if not fresh_env:
        yield BundleProcess(bundle, sys.executable, progress)
        return
    with tempfile.TemporaryDirectory(prefix="verify-env-") as folder:
        python = _fresh(bundle.folder, Path(folder, "env"), progress)
        yield BundleProcess(bundle, python, progress, _lent(Path(folder, "lent")))


def _lent(folder: Path) -> Path:
    """Return a folder that lends our xxhash, for the kernel's fingerprints, to a check in another environment."""
    import xxhash

    folder.mkdir()
    (folder / "xxhash").symlink_to(Path(xxhash.__file__).parent, target_is_directory=True)
    return folder


def fault_of(ran: Mapping[str, Any]) -> str:
    """Return in one line why a run failed: its first failed step and the error of that, or else the command's error."""
    for row in ran.get("steps") or ():
        if row.get("error"):
            return f"step {row['step']!r} failed: {row['error'].get('type')}: {row['error'].get('message')}"
    return str(ran.get("error") or "the run did not succeed")


def run_command(
    command: list[str], environment: Mapping[str, str], progress: Progress, cwd: str | None = None
) -> tuple[str, list[str], int]:
    """Run a bundle's command to its end; return its standard output, its lines of progress and its exit code.

    If this process is interrupted, it first terminates the command, which ends its steps and records their results.
    """
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    stdout, stderr = process.stdout, process.stderr
    assert stdout is not None and stderr is not None
    printed: list[str] = []
    reader = threading.Thread(target=lambda: printed.append(stdout.read()))
    reader.start()
    lines = []
    try:
        for line in stderr:
            lines.append(line.rstrip())
            progress(line.rstrip())
        process.wait()
    except BaseException:
        process.terminate()
        with suppress(Exception):  # `progress` may be what raised
            for line in stderr:
                progress(line.rstrip())
        process.wait()
        raise
    finally:
        reader.join()
    return "".join(printed), lines, process.returncode


def _fresh(bundle: Path, where: Path, progress: Progress) -> str:
    """Build an environment from the bundle's lock with uv; return the path of its Python."""
    from uv import find_uv_bin

    progress("building an environment from requirements.lock")
    python = str(where / "bin" / "python")
    for command in (
        [find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(where)],
        [find_uv_bin(), "pip", "sync", "--quiet", "--python", python, str(bundle / "requirements.lock")],
    ):
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise UserError(
                f"cannot build an environment from requirements.lock: {' '.join(result.stderr.split())[:400]}"
            )
    return python
