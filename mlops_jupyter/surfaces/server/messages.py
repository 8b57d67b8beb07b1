"""Every message between the server and the panel. `labextension/src/wire.ts` is generated from this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Literal

from mlops_jupyter.core.executions import ExecutionStatus
from mlops_jupyter.services.tracking.run import RunStatus

Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""The value of a metric. JSON cannot express the last three; the front end reads them with `Number(...)`."""


class RecorderState(Enum):
    """Whether the notebook's executions are being recorded."""

    ABSENT = "absent"  # nothing of this notebook is in the ledger
    ON = "on"  # its kernel lives and records
    ENDED = "ended"  # the kernel that recorded is gone; what it recorded is kept


class StepState(Enum):
    """Whether a step's values match its current source and inputs."""

    FRESH = "fresh"  # ran as it is written now
    STALE = "stale"  # it, or something before it, changed since it ran
    CACHED = "cached"  # its values were taken from an earlier run with the same inputs
    FAILED = "failed"  # its last execution raised


@dataclass(frozen=True)
class Session:
    """One kernel with the extension loaded; `started` in seconds since the epoch."""

    id: str
    started: float


@dataclass(frozen=True)
class Ended:
    """The last execution, with its end (seconds since the epoch) and its duration (seconds)."""

    status: ExecutionStatus
    step: str | None
    error: str | None
    ended: float
    seconds: float


@dataclass(frozen=True)
class Recorder:
    """The recorder of the notebook as the ledger shows it; `executions` is their number."""

    state: RecorderState
    executions: int
    last: Ended | None


@dataclass(frozen=True)
class Step:
    """A step of the notebook's pipeline; inputs and outputs that begin with `~` are hidden variables."""

    name: str
    state: StepState
    version: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    updated: float


@dataclass(frozen=True)
class Run:
    """A tracked run with the latest value of each metric; times in seconds since the epoch."""

    id: str
    name: str
    experiment: str
    status: RunStatus
    started: float
    ended: float | None
    metrics: Mapping[str, Number]
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class State:
    """The answer to `GET state`. `project` is its folder below the server's root, null if nothing is recorded yet."""

    notebook: str
    project: str | None
    session: Session | None
    recorder: Recorder
    steps: tuple[Step, ...]
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Changed:
    """Pushed over the socket `events` when the answer to `GET state` may have changed."""

    type: Literal["changed"] = "changed"


@dataclass(frozen=True)
class Fault:
    """The body of an answer with an error status: one line for the user."""

    message: str


MESSAGES = (State, Changed, Fault)
"""The messages; all other types are parts of these."""


def encode(value: Any) -> Any:
    """Return a message as plain dicts, lists and scalars that JSON can hold.

    Examples
    --------
    >>> encode(Changed())
    {'type': 'changed'}
    """
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value
