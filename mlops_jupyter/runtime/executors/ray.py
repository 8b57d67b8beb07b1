"""The Ray executor: each job is a task with the step's resources, which Ray restarts if its node is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import PipelineError
from ..model.pipeline import Step
from . import remote_task
from .code_archive import LOST_TRIES, CodeShipper, outcome, too_much

if TYPE_CHECKING:
    from ..step.job import Job
    from . import Handle

NAP_SECONDS = 0.02
"""How often a waiting executor looks whether a task has ended."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Delay signals until the block ends: an exception that a handler raises inside Ray is swallowed or breaks Ray."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    delayed: list[int] = []
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        for signum in handlers:
            signal.signal(signum, lambda number, _: delayed.append(number))
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler or signal.SIG_DFL)
        for number in delayed:
            signal.raise_signal(number)


class RayExecutor:
    """Performs jobs on a Ray cluster: at an address, at RAY_ADDRESS, or one that is started here for this run."""

    local = False

    def __init__(self, address: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ModuleNotFoundError:
            raise PipelineError("the engine 'ray' needs Ray: pip install ray") from None
        self._ray: Any = ray
        own = {} if address or "RAY_ADDRESS" in os.environ else {"include_dashboard": False}
        handler = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)
        except (ConnectionError, ValueError, RuntimeError) as fault:
            raise PipelineError(
                f"no Ray cluster at {address or os.environ.get('RAY_ADDRESS')!r}: {_line(fault)}"
            ) from None
        if threading.current_thread() is threading.main_thread():  # Ray has set its own handler
            signal.signal(signal.SIGTERM, handler)
        ray.cloudpickle.register_pickle_by_value(remote_task)
        self._perform = ray.remote(remote_task.perform)
        self._parcels = CodeShipper()
        self.jobs = max(4, 2 * int(ray.cluster_resources().get("CPU", 1)))

    def check(self, steps: Sequence[Step]) -> None:
        """Raise `PipelineError` for a step that requests more than any node has."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        for step in steps:
            amounts = {"CPU": step.cpu or 1.0, "memory": step.memory or 0, "GPU": step.gpu or 0}
            if not any(all(node.get(name, 0) >= amount for name, amount in amounts.items()) for node in nodes):
                most = {name: max((node.get(name, 0) for node in nodes), default=0) for name in amounts}
                resource = next((name for name in amounts if amounts[name] > most[name]), "CPU")
                raise too_much(step, resource, amounts[resource])

    def start(self, job: Job, log: Path) -> Handle:
        """Submit a job as a task."""
        step = job.step
        options = {"num_cpus": step.cpu or 1, "num_gpus": step.gpu or 0, "memory": step.memory, "name": step.name}
        function, task = self._perform.options(**options, max_retries=LOST_TRIES), self._parcels.errand(job)
        with undisturbed():
            return RayHandle(self._ray, function.remote(task))

    def wait(self, works: Iterable[Handle], seconds: float | None) -> None:
        """Wait until one of the tasks has ended, or for `seconds`; signals are handled between short sleeps."""
        until = None if seconds is None else time.monotonic() + seconds
        refs = [cast("RayHandle", work).ref for work in works]
        while not _ready(self._ray, refs) and (until is None or time.monotonic() < until):
            time.sleep(NAP_SECONDS)

    def close(self) -> None:
        """Disconnect; stop a cluster that was started here."""
        self._ray.shutdown()


class RayHandle:
    """The handle of a job that is a task of Ray."""

    def __init__(self, ray: Any, ref: Any) -> None:
        self._ray = ray
        self.ref = ref

    def poll(self) -> int | str | None:
        """Return the exit code of the task, or a message if it was lost without one; None while it runs."""
        if not _ready(self._ray, [self.ref]):
            return None
        try:
            with undisturbed():
                return outcome(*self._ray.get(self.ref))
        except self._ray.exceptions.RayTaskError as fault:
            return _line(fault.cause)
        except self._ray.exceptions.RayError as fault:
            return _line(fault)

    def ask_to_leave(self) -> None:
        """Cancel the task: its worker ends the step's process."""
        self._ray.cancel(self.ref)

    def kill(self, grace: float = 0.0) -> None:
        """Cancel the task; kill its worker if the task has not ended after the grace time."""
        if grace == 0.0:
            self.ask_to_leave()
        if not self._ray.wait([self.ref], timeout=grace + remote_task.GRACE_SECONDS)[0]:
            self._ray.cancel(self.ref, force=True)
            time.sleep(NAP_SECONDS)


def _ready(ray: Any, refs: list[Any]) -> bool:
    """Whether one of the tasks has ended."""
    with undisturbed():
        return bool(ray.wait(refs, timeout=0)[0])


def _line(fault: object) -> str:
    """Return the first line of an error's message, which with Ray is often a page long."""
    return next((line.strip() for line in str(fault).splitlines() if line.strip()), type(fault).__name__)
