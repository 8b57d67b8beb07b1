"""The Dask executor: each job is a task of a distributed scheduler, which reschedules it if its worker is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import PipelineError
from ..model.pipeline import Step
from . import remote_task
from .code_archive import LOST_TRIES, CodeShipper, outcome, too_much

if TYPE_CHECKING:
    from ..step.job import Job
    from . import Handle

LONGEST_WAIT_SECONDS = 1.0
"""The longest wait before signals are handled."""


class DaskExecutor:
    """Performs jobs on a Dask cluster: at an address, at DASK_SCHEDULER_ADDRESS, or one that is started here.

    Workers declare their resources (`dask worker --resources "CPU=8 MEMORY=32e9 GPU=1"`). Where none declares CPU or
    MEMORY, Dask counts one thread for each step; a GPU has to be declared.
    """

    local = False

    def __init__(self, address: str | None) -> None:
        try:
            import distributed
        except ModuleNotFoundError:
            raise PipelineError("the engine 'dask' needs distributed: pip install distributed") from None
        import cloudpickle

        self._distributed: Any = distributed
        try:
            self._client: Any = distributed.Client(address, timeout=10)
        except (OSError, ValueError) as fault:
            raise PipelineError(f"no Dask scheduler at {address!r}: {fault}") from None
        cloudpickle.register_pickle_by_value(remote_task)
        self._dumps = cloudpickle.dumps
        self._parcels = CodeShipper()
        self._count = 0
        self.jobs = max(4, 2 * sum(worker["nthreads"] for worker in self._workers()))

    def _workers(self) -> list[dict[str, Any]]:
        return list(self._client.scheduler_info(n_workers=-1)["workers"].values())

    def _resources(self) -> list[dict[str, float]]:
        """Return the resources that each worker declares."""
        return [worker["resources"] for worker in self._workers()]

    def check(self, steps: Sequence[Step]) -> None:
        """Raise `PipelineError` for a step that requests more than any worker declares."""
        have = self._resources()
        for step in steps:
            for name, amount in _asked(step, have).items():
                if max((worker.get(name, 0) for worker in have), default=0) < amount:
                    raise too_much(step, name, amount)

    def start(self, job: Job, log: Path) -> Handle:
        """Submit a job as a task."""
        self._count += 1
        name = f"{job.step.name}-{job.run}-{job.attempt}-{self._count}"
        packed = self._dumps((remote_task.perform, self._parcels.errand(job)))
        resources = _asked(job.step, self._resources()) or None
        future = self._client.submit(_perform(), packed, name, key=name, pure=False, resources=resources)
        return DaskHandle(self._distributed, self._client, future)

    def wait(self, works: Iterable[Handle], seconds: float | None) -> None:
        """Wait until one of the tasks has ended, for at most `seconds` and `LONGEST_WAIT_SECONDS`."""
        at_most = LONGEST_WAIT_SECONDS if seconds is None else min(seconds, LONGEST_WAIT_SECONDS)
        _wait(self._distributed, [cast("DaskHandle", work).future for work in works], at_most)

    def close(self) -> None:
        """Disconnect; stop a cluster that was started here."""
        self._client.close()


class DaskHandle:
    """The handle of a job that is a task of Dask."""

    def __init__(self, distributed: Any, client: Any, future: Any) -> None:
        self._distributed = distributed
        self._client = client
        self.future = future

    def poll(self) -> int | str | None:
        """Return the exit code of the task, or a message if it was lost without one; None while it runs."""
        if not self.future.done():
            return None
        if self.future.status == "finished":
            return outcome(*self.future.result())
        if self.future.status == "cancelled":
            return "the task was cancelled"
        fault = self.future.exception()
        if isinstance(fault, self._distributed.KilledWorker):
            return f"its worker was lost {LOST_TRIES} times"
        return str(fault) or type(fault).__name__

    def ask_to_leave(self) -> None:
        """Have the worker end the step's process, since Dask does not stop a task that has begun; cancel the task."""
        self._client.run(_leave(), self.future.key, on_error="ignore")
        self.future.cancel(force=True)

    def kill(self, grace: float = 0.0) -> None:
        """End the task, unless it was asked to end already."""
        if self.future.status == "pending":
            self.ask_to_leave()


def _asked(step: Step, have: list[dict[str, float]]) -> dict[str, float]:
    """Return the resources that a step requests, of those that some worker declares, and GPU."""
    requested = {"CPU": step.cpu or 0, "MEMORY": step.memory or 0, "GPU": step.gpu or 0}
    counted = {name for worker in have for name in worker} | {"GPU"}
    return {name: amount for name, amount in requested.items() if amount and name in counted}


def _wait(distributed: Any, futures: list[Any], seconds: float) -> None:
    try:
        distributed.wait(futures, timeout=seconds, return_when="FIRST_COMPLETED")
    except (TimeoutError, distributed.TimeoutError):
        return


def _perform() -> Callable[[bytes, str], tuple[int, str]]:
    """Return the function that a worker calls. Being nested, it is pickled by value: workers need no code of ours."""

    def perform(packed: bytes, key: str) -> tuple[int, str]:
        import cloudpickle
        import distributed

        function, task = cloudpickle.loads(packed)
        running = vars(distributed.get_worker()).setdefault("steps_running", {})
        try:
            result: tuple[int, str] = function(task, lambda process: running.__setitem__(key, process))
            return result
        finally:
            running.pop(key, None)

    return perform


def _leave() -> Callable[[str, Any], None]:
    """Return the function that ends a step's process on the worker that runs it."""

    def leave(key: str, dask_worker: Any) -> None:
        process = vars(dask_worker).get("steps_running", {}).get(key)
        if process is not None:
            process.terminate()

    return leave
