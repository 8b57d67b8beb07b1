"""What goes to a cluster: jobs as errands, with the bundle's code in the store where every worker finds it."""

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
"""How often a step is begun again elsewhere because its node was lost. That is none of the step's own retries."""


class CodeShipper:
    """Makes errands of jobs. Puts the code of a bundle into a store once."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], tuple[str, str]] = {}

    def errand(self, job: Job) -> RemoteTask:
        """Return what a worker is told to do for a job."""
        package = job.pipeline.package
        if (package, job.store) not in self._sent:
            store = Store(job.store)
            self._sent[package, job.store] = str(store.folder or store.uri), store.put(packed(job.pipeline))
        where, code = self._sent[package, job.store]
        return RemoteTask(package, _words(job, where), job.pipeline.environment, where, code)


def _words(job: Job, store: str) -> tuple[str, ...]:
    """The parameters are in the run's record, and the inputs in those of the steps before."""
    words = ["step", job.step.name, "--store", store, "--run", job.run, "--led", str(job.attempt)]
    words += ["--again"] if job.again else []
    words += ["--data", str(job.data)] if job.data else []
    words += ["--timeout", str(job.step.timeout)] if job.step.timeout else []
    return tuple(words)


def packed(pipeline: Pipeline) -> bytes:
    """Return a bundle's code as a zip file; the same code gives the same bytes."""
    package = package_folder(pipeline)
    home = package.parent
    # Beside the package lie the project's own modules that its steps import; beside an installed one all others do.
    top = home if home.name == "src" else package
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(_files(top)):
            archive.writestr(zipfile.ZipInfo(path.relative_to(home).as_posix()), path.read_bytes())
    return made.getvalue()


def _files(top: Path) -> Iterable[Path]:
    return (path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def outcome(code: int, said: str) -> int | str:
    """Return how a job ended, as `Work.poll` does. What its record does not tell, the worker said."""
    return code if code in (0, FAILED) else said.removeprefix("error: ") or f"its command ended with exit code {code}"


def too_much(step: Step, what: str, amount: float) -> PipelineError:
    """Return the complaint about a step that would wait for ever."""
    return PipelineError(f"step {step.name!r} asks for {what} {amount:g}: no node of the cluster has that much")
