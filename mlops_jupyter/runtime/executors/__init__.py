"""Executors perform the steps of a run, on this machine or on a cluster. A new one is a module and a branch below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import PipelineError
from ..model.pipeline import Step

if TYPE_CHECKING:
    from ..step.job import Job

NAMES = ("local", "ray", "dask")


class Handle(Protocol):
    """The handle of a started job, on whichever machine it runs."""

    def poll(self) -> int | str | None:
        """Return the job's exit code, or a message if it was lost without one; None while it runs."""

    def ask_to_leave(self) -> None:
        """Ask the job, and all processes that it started, to end."""

    def kill(self, grace: float = 0.0) -> None:
        """End the job, and all processes that it started; first wait `grace` seconds for it to end by itself."""


class Executor(Protocol):
    """Performs jobs. Values go through the store, never through the executor.

    Attributes
    ----------
    jobs : how many jobs may run at once by default.
    local : whether jobs are child processes of this one. Jobs of other executors enforce their timeouts themselves,
        because the time for which they wait in the cluster does not count.
    """

    jobs: int
    local: bool

    def check(self, steps: Sequence[Step]) -> None:
        """Raise `PipelineError` for a step that requests more than any node has."""

    def start(self, job: Job, log: Path) -> Handle:
        """Start a job. `log` is the file for what it prints; on a cluster the job writes its own log."""

    def wait(self, works: Iterable[Handle], seconds: float | None) -> None:
        """Return when one of the jobs has ended, or after `seconds`. Returning earlier does no harm."""

    def close(self) -> None:
        """Disconnect from the cluster, if any."""


@contextmanager
def open_executor(name: str, address: str | None = None, fork: bool | None = None) -> Iterator[Executor]:
    """Open the executor of a name; close it when the block ends.

    Parameters
    ----------
    address : address of a cluster; None for the one of the environment, or else one that is started on this machine.
    fork : whether the local executor forks, see `execution.run.run`.
    """
    executor: Executor
    if name == "local":
        if address is not None:
            raise PipelineError("--address is that of a cluster: give --engine ray or --engine dask too")
        from .local import LocalExecutor

        executor = LocalExecutor(fork)
    elif name == "ray":
        from .ray import RayExecutor

        executor = RayExecutor(address)
    elif name == "dask":
        from .dask import DaskExecutor

        executor = DaskExecutor(address)
    else:
        raise PipelineError(f"no engine {name!r}: there are {', '.join(NAMES)}")
    try:
        yield executor
    finally:
        executor.close()
