"""The local executor: each job runs in a child process on this machine."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..hidden.names import EARLY
from ..model.pipeline import Step

if TYPE_CHECKING:
    from ..step.job import Job
    from . import Handle
    from .child_process import ChildProcess

JOBS = max(2, min(4, os.cpu_count() or 1))
"""How many steps run at once: at least two, for a step that waits for a disk or server uses no processor."""

WARM = ("step.outputs", "codecs", "fingerprints.fingerprint", "tracking")
"""Modules of the runtime that each step's process would otherwise import itself."""


class LocalExecutor:
    """Performs jobs in child processes. What steps request of processors and memory is not enforced."""

    jobs = JOBS
    local = True

    def __init__(self, fork: bool | None = None) -> None:
        self._fork = _may_fork() if fork is None else fork

    def check(self, steps: Sequence[Step]) -> None:
        """Accept every step: its requests are for clusters."""

    def start(self, job: Job, log: Path) -> Handle:
        """Start a child process for a job."""
        from .child_process import start

        if self._fork:
            _warm(job)
        return start(job, log, self._fork)

    def wait(self, works: Iterable[Handle], seconds: float | None) -> None:
        """Sleep until one of the processes has ended, or for `seconds`."""
        from .child_process import wait

        wait([cast("ChildProcess", work) for work in works], seconds)

    def close(self) -> None:
        """Do nothing: no cluster is connected."""


def _may_fork() -> bool:
    return hasattr(os, "fork") and sys.platform != "darwin"  # there, system libraries may run threads that a fork cuts


def _warm(job: Job) -> None:
    """Import a step's module in this process, so that forked children have it already.

    An import that fails is ignored. It fails again in the child, which writes the error into its record, unless it
    failed only because the child's working directory and module path are not set here.
    """
    home = __package__.rpartition(".")[0]
    modules = [f"{home}.{name}" for name in WARM]
    with _environment(job.pipeline.environment):
        if not any(name.startswith(EARLY) for step in job.pipeline.steps for name in step.makes):
            modules.append(job.step.function.partition(":")[0])  # else it may read what an earlier step has set
        for module in filter(_is_there, modules):
            try:
                importlib.import_module(module)
            except KeyboardInterrupt:
                raise
            except BaseException:  # a module may even call sys.exit
                return


def _is_there(module: str) -> bool:
    """Say whether this bundle contains a module of the runtime: it carries those alone that its steps need."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor the folder that the module would lie in
        return False


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables until the block ends: some libraries read theirs when they are imported."""
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
