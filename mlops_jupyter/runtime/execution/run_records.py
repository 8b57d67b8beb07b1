"""The records that a run writes: its beginning, its status at the end, what its steps logged."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..model.events import SUCCEEDED, ExecutionRequest, StepError, StepEvent
from ..secret_values import KnownSecrets
from ..storage.atomic import write_atomic
from ..storage.store import Facts, Store


@contextmanager
def scratch(store: Store, run_id: str, secrets: KnownSecrets) -> Iterator[Path]:
    """Lend the folder in which steps work: the run's own, or a temporary one whose logs are copied to the store."""
    if store.folder is not None:
        yield store.folder / run_id
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix=f"{run_id}-") as name:
        folder = Path(name).resolve()
        for file in store.names(run_id, "tracking"):  # so that a tracked run which an earlier step opened is continued
            (folder / "tracking").mkdir(exist_ok=True)
            (folder / "tracking" / file).write_bytes(store.read(run_id, f"tracking/{file}"))
        try:
            yield folder
        finally:
            for log in sorted(folder.glob("logs/*.txt")):
                store.write(run_id, f"logs/{log.name}", secrets.masked_bytes(log.read_bytes()))


def mask_logs(store: Store, run_id: str, steps: list[str], secrets: KnownSecrets) -> None:
    """Mask secrets in the logs of steps that have ended: other programs of a step may have printed some."""
    if not secrets or store.folder is None:
        return
    for name in steps:
        log = store.folder / run_id / "logs" / f"{name}.txt"
        data = log.read_bytes() if log.is_file() else b""
        if secrets.held_by(data):
            write_atomic(log, secrets.masked_bytes(data), fsync=False)


def begin(request: ExecutionRequest, store: Store, run_id: str, steps: list[str]) -> float:
    """Record that the run has begun; delete these steps' records of an earlier try; return the start time (epoch)."""
    before = store.run(run_id)
    if before is not None:
        for step in steps:
            store.forget_step(run_id, step)
    started: float = before["started"] if before and request.task else time.time()
    facts: Facts = {"run": run_id, "pipeline": request.pipeline.name, "status": "running"}
    facts |= {"parameters": dict(request.parameters), "data": str(request.data.absolute()) if request.data else None}
    store.set_run(run_id, {**facts, "started": started, "ended": None, "seconds": None, "error": None})
    return started


def end(request: ExecutionRequest, store: Store, run_id: str, ended: tuple[StepEvent, ...], fault: str) -> None:
    """Record how the run ended. Each task of an orchestrator derives the status from all records; the last is right."""
    facts = store.run(run_id) or {}
    while True:
        status = _standing(request, store, run_id) if request.task else _verdict(ended)
        finished = None if status == "running" else time.time()
        seconds = None if finished is None else round(finished - facts["started"], 6)
        error = (fault or _failure(request, store, run_id)) if status == "failed" else None
        store.set_run(run_id, {**facts, "status": status, "ended": finished, "seconds": seconds, "error": error})
        if not request.task or status == _standing(request, store, run_id):
            return


def _verdict(ended: tuple[StepEvent, ...]) -> str:
    return "succeeded" if ended and all(event.status in SUCCEEDED for event in ended) else "failed"


def _standing(request: ExecutionRequest, store: Store, run_id: str) -> str:
    records = [store.step(run_id, step.name) for step in request.pipeline.steps]
    if any(record and record["status"] == "failed" for record in records):
        return "failed"
    return "running" if None in records else "succeeded"


def _failure(request: ExecutionRequest, store: Store, run_id: str) -> str | None:
    records = (store.step(run_id, step.name) for step in request.pipeline.steps)
    failed = next((record for record in records if record and record["status"] == "failed"), None)
    return None if failed is None else failure(failed["step"], failed["error"])


def failure(step: str, error: StepError) -> str:
    """Return one line that says which step failed, and with which error."""
    return f"step {step!r} failed: {error['type']}: {error['message']}"


def merge_tracking(store: Store, run_id: str) -> None:
    """Merge the tracking files of the steps into `tracking.json`: {"run", "steps": {step: content of its file}}."""
    files = store.names(run_id, "tracking")
    if files:
        steps = {file.removesuffix(".json"): json.loads(store.read(run_id, f"tracking/{file}")) for file in files}
        merged = {"run": run_id, "steps": steps}
        store.write(run_id, "tracking.json", json.dumps(merged, indent=1).encode())
