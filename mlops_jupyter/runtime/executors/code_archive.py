"""Prepare jobs for a cluster: each becomes a remote task, and the bundle's code goes into the store as an archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PipelineError
from ..model.events import FAILED
from ..model.pipeline import Pipeline, Step
from ..step.initial import package_folder
from ..storage.store import Store
from .remote_task import RemoteTask

if TYPE_CHECKING:
    from ..step.job import Job

LOST_TRIES = 3
"""How often a step is started on another node because its node was lost. This does not use up the step's retries."""


class CodeShipper:
    """Makes remote tasks of jobs. Puts the code of a bundle into each store once."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], tuple[str, str]] = {}

    def errand(self, job: Job) -> RemoteTask:
        """Return the task that a worker performs for a job."""
        package = job.pipeline.package
        if (package, job.store) not in self._sent:
            store = Store(job.store)
            self._sent[package, job.store] = str(store.folder or store.uri), store.put(packed(job.pipeline))
        where, code = self._sent[package, job.store]
        return RemoteTask(package, _words(job, where), job.pipeline.environment, where, code)


def _words(job: Job, store: str) -> tuple[str, ...]:
    """Return the words of the `step` command. Parameters and inputs are in the run's records."""
    words = ["step", job.step.name, "--store", store, "--run", job.run, "--led", str(job.attempt)]
    words += ["--again"] if job.again else []
    words += ["--cache-volatile"] if job.pipeline.cache_volatile else []
    words += ["--data", str(job.data)] if job.data else []
    words += ["--timeout", str(job.step.timeout)] if job.step.timeout else []
    return tuple(words)


def packed(pipeline: Pipeline) -> bytes:
    """Return a bundle's code as the bytes of a zip file; the same code gives the same bytes."""
    package = package_folder(pipeline)
    home = package.parent
    # In `src`, the project's own modules lie beside the package; beside an installed package lie all others.
    top = home if home.name == "src" else package
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(_files(top)):
            archive.writestr(zipfile.ZipInfo(path.relative_to(home).as_posix()), path.read_bytes())
    return buffer.getvalue()


def _files(top: Path) -> Iterable[Path]:
    return (path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def outcome(code: int, said: str) -> int | str:
    """Return how a job ended, as `Handle.poll` does; `said` is the last line of the worker's standard error."""
    return code if code in (0, FAILED) else said.removeprefix("error: ") or f"its command ended with exit code {code}"


def too_much(step: Step, what: str, amount: float) -> PipelineError:
    """Return the error for a step that would wait for ever, because no node has the amount that it requests."""
    return PipelineError(f"step {step.name!r} asks for {what} {amount:g}: no node of the cluster has that much")
