"""Proof: the bundle run in a clean process, its values held against the notebook's."""

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
"""Environment variables that a clean process keeps; what else a notebook needs of them is captured."""


@dataclass(frozen=True)
class OutputProof:
    """One delivered value: `status` is identical, close, differs or failed; the rest are for people.

    Attributes
    ----------
    parted : {"step", "variable"} where the run's values first part from the notebook's, on the way to this one.
    cause : what is known of why.
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
        """All that is known of a difference, in one line."""
        if self.parted is None:
            return self.reason
        where = f"parts first in step {self.parted['step']!r} (variable {self.parted['variable']!r})"
        return "; ".join(filter(None, (self.reason, where, self.cause)))


@dataclass(frozen=True)
class Proof:
    """What came of running a bundle clean: the worst of its outputs' states, and why.

    Attributes
    ----------
    steps : number of steps of the pipeline.
    seconds : wall time of the run and the comparison.
    parted, cause : those of the first of the worst outputs.
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
        """Return the facts as JSON."""
        return asdict(self)


def verify(bundle: Path, fresh_env: bool = False, progress: Progress = lambda line: None) -> Proof:
    """Run the bundle in a clean process and compare each value with the notebook's.

    Parameters
    ----------
    fresh_env : build an environment from requirements.lock first, and run in that.
    """
    began = time.perf_counter()
    stored = read(bundle)
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        python = _fresh(bundle, Path(folder, "env"), progress) if fresh_env else sys.executable
        store = Path(folder, "store")
        ran = call(stored, python, ["run", "--store", str(store)], progress)
        checked: dict[str, Any] = {}
        if "run" in ran:
            words = ["check", "--store", str(store), "--run", str(ran["run"])]
            checked = call(stored, python, words, progress, _lent(Path(folder, "lent")) if fresh_env else None)
    reason = "" if ran.get("status") == "succeeded" else fault_of(ran)
    outputs = tuple(map(_output, checked.get("outputs", ())))
    if "outputs" not in checked:
        outputs = tuple(OutputProof(name, "failed", reason, "", "") for name in stored.outputs)
    return Proof(
        status="failed" if reason else str(checked.get("status", "failed")),
        steps=len(stored.steps),
        seconds=round(time.perf_counter() - began, 3),
        outputs=outputs,
        reason=reason or str(checked.get("error") or ""),
        parted=checked.get("parted"),
        cause=str(checked.get("cause") or ""),
    )


def _output(row: Mapping[str, Any]) -> OutputProof:
    texts = {key: str(row.get(key) or "") for key in ("name", "status", "reason", "expected", "actual", "cause")}
    return OutputProof(**texts, parted=row.get("parted"))


def _lent(folder: Path) -> Path:
    """Return a folder that lends our xxhash to a check in another environment: it takes the kernel's fingerprints."""
    import xxhash

    folder.mkdir()
    (folder / "xxhash").symlink_to(Path(xxhash.__file__).parent, target_is_directory=True)
    return folder


def fault_of(ran: Mapping[str, Any]) -> str:
    """Say in one line why a run failed: what the command complained of, or its first failed step and its error."""
    for row in ran.get("steps") or ():
        if row.get("error"):
            return f"step {row['step']!r} failed: {row['error'].get('type')}: {row['error'].get('message')}"
    return str(ran.get("error") or "the run did not succeed")


def call(
    bundle: StoredBundle, python: str, words: list[str], progress: Progress, lent: Path | None = None
) -> dict[str, Any]:
    """Run one command of a bundle in a process that inherits nothing of this one; return what it says in JSON."""
    environment = {k: v for k in (*KEPT, *bundle.secrets) if (v := os.environ.get(k)) is not None}
    path = os.pathsep.join(map(str, filter(None, ((bundle.folder / "src").absolute(), lent))))
    environment |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= bundle.variables
    with tempfile.TemporaryDirectory(prefix="verify-cwd-") as here:
        command = [python, "-m", bundle.package, *words, "--json"]
        printed, said, code = run_command(command, environment, progress, here)
    try:
        answer: dict[str, Any] = json.loads(printed)
    except ValueError:
        return {"status": "failed", "error": said[-1] if said else f"exit code {code}"}
    return answer


def run_command(
    command: list[str], environment: Mapping[str, str], progress: Progress, cwd: str | None = None
) -> tuple[str, list[str], int]:
    """Run a bundle's command to its end; return its answer, its lines of progress and its exit code.

    Where this process is told to stop, the command is stopped first: it ends its steps and writes what came of them.
    """
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    stdout, stderr = process.stdout, process.stderr
    assert stdout is not None and stderr is not None
    printed: list[str] = []
    reader = threading.Thread(target=lambda: printed.append(stdout.read()))
    reader.start()
    said = []
    try:
        for line in stderr:
            said.append(line.rstrip())
            progress(line.rstrip())
        process.wait()
    except BaseException:
        process.terminate()
        with suppress(Exception):  # whoever is told may be what went wrong
            for line in stderr:
                progress(line.rstrip())
        process.wait()
        raise
    finally:
        reader.join()
    return "".join(printed), said, process.returncode


def _fresh(bundle: Path, where: Path, progress: Progress) -> str:
    """Build an environment from the bundle's lock with uv; return its Python."""
    from uv import find_uv_bin

    progress("building an environment from requirements.lock")
    python = str(where / "bin" / "python")
    for command in (
        [find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(where)],
        [find_uv_bin(), "pip", "sync", "--quiet", "--python", python, str(bundle / "requirements.lock")],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise UserError(
                f"cannot build an environment from requirements.lock: {' '.join(done.stderr.split())[:400]}"
            )
    return python
