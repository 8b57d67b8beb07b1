"""The facts of this room: a schedule, and one run of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from mlops_jupyter.services.schedule.clock import next_after


class Status(Enum):
    """How a run stands."""

    RUNNING = "running"
    """Its process has started and has not ended."""
    SUCCEEDED = "succeeded"
    """The bundle ended with exit code 0."""
    FAILED = "failed"
    """It could not start, ended with another exit code, took too long or was stopped; `Run.reason` says which."""
    LOST = "lost"
    """What started it died first (`kill -9`, power): nobody knows how it would have ended."""


class Trigger(Enum):
    """What made a run start."""

    CLOCK = "clock"
    """A tick of the schedule, in a scheduler process."""
    HAND = "hand"
    """Someone asked for it now."""


@dataclass(frozen=True)
class Schedule:
    """A bundle that runs by the clock. Never changes: another time is another schedule.

    Attributes
    ----------
    bundle : its folder, absolute.
    cron, timezone : when, see `clock`.
    parameters : overrides given to each run, as text.
    data : a folder that takes the place of the bundle's own data, or None.
    created : seconds since the epoch; no tick before it is due.
    """

    id: str
    bundle: Path
    cron: str
    timezone: str
    parameters: Mapping[str, str]
    data: Path | None
    created: float

    def next_due(self, now: float) -> float | None:
        """Return the first tick after `now` in seconds since the epoch, or None if there is none."""
        tick = next_after(self.cron, self.timezone, datetime.fromtimestamp(now, UTC))
        return tick.timestamp() if tick else None


@dataclass(frozen=True)
class Run:
    """One run of a schedule.

    Attributes
    ----------
    id : also the run's id in the bundle's store.
    due : the tick that it stands for, or the moment it was asked for by hand; seconds since the epoch, like the others.
    ended : None while it runs, and where nobody saw the end.
    log : file with what the bundle printed; None if there is none.
    outcome : the JSON object that the bundle printed, with `trigger`, `exit_code` and, unless it succeeded, `reason`.
    """

    id: str
    schedule: str
    bundle: Path
    due: float
    started: float | None
    ended: float | None
    status: Status
    log: Path | None
    outcome: Mapping[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why it did not succeed; empty if it did or still runs."""
        return str(self.outcome.get("reason") or "")
