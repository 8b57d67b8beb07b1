"""Verify a bundle: run it in a clean process, and compare its values with the notebook's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.bundle.read import StoredBundle, read

Progress = Callable[[str], None]

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TZ")
"""Environment variables that a clean process inherits; those that a notebook reads are captured."""


@dataclass(frozen=True)
class OutputProof:
    """The comparison of one delivered value: `status` is identical, close, differs or failed; the rest is for people.

    Attributes
    ----------
    parted : {"step", "variable"} of the first divergence from the notebook's values, on the way to this one.
    cause : what is known of the divergence's cause.
    """

    name: str
    status: str
    reason: str
    expected: str
    actual: str
    parted: Mapping[str, str] | None = None
    cause: str = ""

    @property
    def why(self) -> str:
        """The reason of a difference, its first divergence and its cause, in one line."""
        if self.parted is None:
            return self.reason
        where = f"parts first in step {self.parted['step']!r} (variable {self.parted['variable']!r})"
        return "; ".join(filter(None, (self.reason, where, self.cause)))


@dataclass(frozen=True)
class Proof:
    """The result of verifying a bundle: the worst status of its outputs, and why.

    Attributes
    ----------
    steps : number of steps of the pipeline.
    seconds : wall time of the run and the comparison.
    parted, cause : as in the first output that has the worst status.
    """

    status: str
    steps: int
    seconds: float
    outputs: tuple[OutputProof, ...]
    reason: str = ""
    parted: Mapping[str, str] | None = None
    cause: str = ""

    @property
    def proven(self) -> bool:
        """Whether every value is the notebook's, up to rounding."""
        return self.status in ("identical", "close")

    def as_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that `json` can write."""
        return asdict(self)


def verify(bundle: Path, fresh_env: bool = False, progress: Progress = lambda line: None) -> Proof:
    """Run the bundle in a clean process and compare each value with the notebook's.

    Parameters
    ----------
    fresh_env : build an environment from requirements.lock first, and run in that.
    progress : called with each line of progress.

    Raises
    ------
    UserError
        The bundle cannot be read, or the environment cannot be built. A run that failed is a result.
    """
    began = time.perf_counter()
    stored = read(bundle)
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        python = _fresh(bundle, Path(folder, "env"), progress) if fresh_env else sys.executable
        store = Path(folder, "store")
        run_answer = call(stored, python, ["run", "--store", str(store)], progress)
        check_answer: dict[str, Any] = {}
        if "run" in run_answer:
            words = ["check", "--store", str(store), "--run", str(run_answer["run"])]
            check_answer = call(stored, python, words, progress, _lent(Path(folder, "lent")) if fresh_env else None)
    reason = "" if run_answer.get("status") == "succeeded" else fault_of(run_answer)
    outputs = tuple(map(_output, check_answer.get("outputs", ())))
    if "outputs" not in check_answer:
        outputs = tuple(OutputProof(name, "failed", reason, "", "") for name in stored.outputs)
    return Proof(
        status="failed" if reason else str(check_answer.get("status", "failed")),
        steps=len(stored.steps),
        seconds=round(time.perf_counter() - began, 3),
        outputs=outputs,
        reason=reason or str(check_answer.get("error") or ""),
        parted=check_answer.get("parted"),
        cause=str(check_answer.get("cause") or ""),
    )


def _output(row: Mapping[str, Any]) -> OutputProof:
    texts = {key: str(row.get(key) or "") for key in ("name", "status", "reason", "expected", "actual", "cause")}
    return OutputProof(**texts, parted=row.get("parted"))


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


def call(
    bundle: StoredBundle, python: str, words: list[str], progress: Progress, lent: Path | None = None
) -> dict[str, Any]:
    """Run one command of a bundle in a clean process; return its answer, read from JSON.

    Parameters
    ----------
    words : the command and its arguments.
    lent : a folder that the process imports from, beside the bundle's.
    """
    environment = {k: v for k in (*KEPT, *bundle.secrets) if (v := os.environ.get(k)) is not None}
    path = os.pathsep.join(map(str, filter(None, ((bundle.folder / "src").absolute(), lent))))
    environment |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= bundle.variables
    with tempfile.TemporaryDirectory(prefix="verify-cwd-") as here:
        command = [python, "-m", bundle.package, *words, "--json"]
        printed, lines, code = run_command(command, environment, progress, here)
    try:
        answer: dict[str, Any] = json.loads(printed)
    except ValueError:
        return {"status": "failed", "error": lines[-1] if lines else f"exit code {code}"}
    return answer


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
