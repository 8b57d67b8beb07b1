"""The facts of this room: a schedule, how its runs are kept, and one run of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from mlops_jupyter.core import plan


class RunState(Enum):
    """How a run stands."""

    RUNNING = "running"
    """Its process has started and has not ended, or it waits to be tried again."""
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
    BACKFILL = "backfill"
    """Someone asked for the ticks of some days."""


class Catchup(Enum):
    """What becomes of ticks that came while nobody could run them."""

    ONCE = "once"
    """The last of them runs, for all."""
    ALL = "all"
    """Each runs, the oldest first."""
    NONE = "none"
    """None runs: a tick runs on time or not at all."""


ONE_TRY = plan.Resources()
"""No retries, no timeout."""


@dataclass(frozen=True)
class RunPolicy:
    """How the runs of a schedule are kept.

    Attributes
    ----------
    catchup : see `Catchup`; of ticks by the clock. What data, pipelines and checks bring is never dropped.
    tries : `retries`, `backoff_seconds` and `timeout_seconds` of a whole run; the timeout is of each try.
    grace : seconds after which a tick that has not run is missing.
    logs : how many logs are kept; older ones are deleted.
    alerts : who is told of failures: names of environment variables that hold Apprise addresses, and files of
        Apprise's configuration. Never an address itself, for it may hold a password.
    tick : the parameter that takes the time of the tick, as ISO text; "" for none.
    """

    catchup: Catchup = Catchup.ONCE
    tries: plan.Resources = ONE_TRY
    grace: float = 300.0
    logs: int = 50
    alerts: tuple[str, ...] = ()
    tick: str = ""


@dataclass(frozen=True)
class Schedule:
    """A bundle that runs by itself. Never changes, but for being paused: another time is another schedule.

    Attributes
    ----------
    bundle : its folder, absolute.
    package : the bundle's, by which other schedules may wait for it.
    wanted : when, in the words of every plan.
    parameters : overrides given to each run, as text.
    data : a folder that takes the place of the bundle's own data, or None.
    created : seconds since the epoch; no tick before it is due.
    paused : since when nothing is due; None if it is not paused.
    resumed : when it was last resumed, in which case no tick before is due, or 0.
    """

    id: str
    bundle: Path
    package: str
    wanted: plan.Schedule
    parameters: Mapping[str, str]
    data: Path | None
    created: float
    policy: RunPolicy = RunPolicy()
    paused: float | None = None
    resumed: float = 0.0

    @property
    def cron(self) -> str:
        """Its cron expression; empty for the other kinds."""
        return self.wanted.cron

    @property
    def timezone(self) -> str:
        """The time zone that its cron expression means."""
        return self.wanted.timezone

    @property
    def since(self) -> float:
        """No tick at or before this moment is due."""
        return max(self.created, self.resumed)


@dataclass(frozen=True)
class ScheduledRun:
    """One run of a schedule.

    Attributes
    ----------
    id : also the run's id in the bundle's store.
    due : the tick that it stands for, or the moment it was asked for by hand; seconds since the epoch, like the others.
    ended : None while it runs, and where nobody saw the end.
    log : file with what the bundle printed; None if there is none (any more).
    outcome : the JSON object that the bundle printed, with `trigger`, `tries`, `exit_code` and, unless it succeeded,
        `reason`.
    """

    id: str
    schedule: str
    bundle: Path
    due: float
    started: float | None
    ended: float | None
    status: RunState
    log: Path | None
    outcome: Mapping[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why it did not succeed; empty if it did or still runs."""
        return str(self.outcome.get("reason") or "")
