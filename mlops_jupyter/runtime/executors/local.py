"""This machine: each job in a process of its own."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..model.pipeline import Step

if TYPE_CHECKING:
    from ..step.job import Job
    from . import Handle
    from .child_process import ChildProcess

JOBS = max(2, min(4, os.cpu_count() or 1))
"""How many steps run at once: steps that wait (for a disk, a server) leave even one processor to others."""

WARM = ("step.outputs", "codecs", "fingerprints.fingerprint", "tracking")
"""Rooms of the runtime that every step's process would else load anew."""


class LocalExecutor:
    """Children of this process. What steps ask of processors and memory is left to the system."""

    jobs = JOBS
    local = True

    def __init__(self, fork: bool | None = None) -> None:
        self._fork = _may_fork() if fork is None else fork

    def check(self, steps: Sequence[Step]) -> None:
        """Nothing is asked of this machine."""

    def start(self, job: Job, log: Path) -> Handle:
        """Start a process for a job."""
        from .child_process import start

        if self._fork:
            _warm(job)
        return start(job, log, self._fork)

    def wait(self, works: Iterable[Handle], seconds: float | None) -> None:
        """Sleep until a process ends."""
        from .child_process import wait

        wait([cast("ChildProcess", work) for work in works], seconds)

    def close(self) -> None:
        """Nothing is held."""


def _may_fork() -> bool:
    return hasattr(os, "fork") and sys.platform != "darwin"  # there, system libraries may run threads that a fork cuts


def _warm(job: Job) -> None:
    """Import a step's module here, so that its children are born with it.

    What goes wrong here will go wrong again in the child, which says so in its record; unless it only went wrong
    because the child's working directory and module path are not set here.
    """
    home = __package__.rpartition(".")[0]
    rooms = [room for name in WARM if importlib.util.find_spec(room := f"{home}.{name}")]
    with _environment(job.pipeline.environment):
        for module in [*rooms, job.step.function.partition(":")[0]]:
            try:
                importlib.import_module(module)
            except KeyboardInterrupt:
                raise
            except BaseException:  # a module may even call sys.exit
                return


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while: some libraries read theirs when they are imported."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
