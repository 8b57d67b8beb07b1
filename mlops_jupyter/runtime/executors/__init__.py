"""Executors perform the steps of a run: on this machine, or on a cluster. A new one is a module and a branch below."""

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
    """One attempt at a step, wherever it is performed."""

    def poll(self) -> int | str | None:
        """Return its exit code, or in words why there is none; None while it lasts."""

    def ask_to_leave(self) -> None:
        """Ask it and all that it started to end."""

    def kill(self, grace: float = 0.0) -> None:
        """End it and all that it started, after a grace time in which it may leave."""


class Executor(Protocol):
    """Performs jobs. What they make goes into the store, never through the engine.

    Attributes
    ----------
    jobs : how many may be under way at once unless a person says otherwise.
    local : whether jobs are this process's own children. Those of other engines mind their time limits themselves,
        for the time they wait for room does not count.
    """

    jobs: int
    local: bool

    def check(self, steps: Sequence[Step]) -> None:
        """Raise `PipelineError` for a step that asks for more than there is anywhere."""

    def start(self, job: Job, log: Path) -> Handle:
        """Start a job. An engine of other machines has the job's own process write the log."""

    def wait(self, works: Iterable[Handle], seconds: float | None) -> None:
        """Return when one of them has ended, or after some seconds; earlier does no harm."""

    def close(self) -> None:
        """Let go of the cluster."""


@contextmanager
def open_executor(name: str, address: str | None = None, fork: bool | None = None) -> Iterator[Executor]:
    """Lend the engine of that name.

    Parameters
    ----------
    address : of a cluster; without one Ray and Dask are started on this machine, if nothing else is set up for them.
    fork : of the local engine, see `engine.run`.
    """
    made: Executor
    if name == "local":
        if address is not None:
            raise PipelineError("--address is that of a cluster: give --engine ray or --engine dask too")
        from .local import LocalExecutor

        made = LocalExecutor(fork)
    elif name == "ray":
        from .ray import RayExecutor

        made = RayExecutor(address)
    elif name == "dask":
        from .dask import DaskExecutor

        made = DaskExecutor(address)
    else:
        raise PipelineError(f"no engine {name!r}: there are {', '.join(NAMES)}")
    try:
        yield made
    finally:
        made.close()
