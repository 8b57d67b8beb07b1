"""The models of this room: a schedule, the policy of its runs, and one run of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from mlops_jupyter.core import plan


class RunState(Enum):
    """The state of a run."""

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
    """How a schedule's runs are caught up on, tried again, logged and alerted of.

    Attributes
    ----------
    catchup : see `Catchup`; of ticks by the clock. What data, pipelines and checks bring is never dropped.
    tries : `retries`, `backoff_seconds` and `timeout_seconds` of a whole run; the timeout is of each try.
    grace : seconds after which a tick that has not run counts as missing.
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
    """A bundle that runs by itself. It never changes, except that it is paused: other times are another schedule.

    Attributes
    ----------
    bundle : its folder, absolute.
    package : the bundle's, by which other schedules may wait for it.
    spec : when it runs, as every plan says it.
    parameters : overrides given to each run, as text.
    data : a folder that takes the place of the bundle's own data, or None.
    created : seconds since the epoch; no tick before it is due.
    paused : since when nothing is due; None if it is not paused.
    resumed : when it was last resumed, in which case no tick before is due, or 0.
    """

    id: str
    bundle: Path
    package: str
    spec: plan.ScheduleSpec
    parameters: Mapping[str, str]
    data: Path | None
    created: float
    policy: RunPolicy = RunPolicy()
    paused: float | None = None
    resumed: float = 0.0

    @property
    def cron(self) -> str:
        """The cron expression; empty for the other kinds."""
        return self.spec.cron

    @property
    def timezone(self) -> str:
        """The time zone by whose clock the cron expression goes."""
        return self.spec.timezone

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
    due : the tick that it runs, or the moment it was asked for by hand; seconds since the epoch, like the others.
    ended : None while it runs, and where nobody saw the end.
    log : file with what the bundle printed; None if there is none (any more).
    outcome : the JSON object that the bundle printed, with `trigger`, `tries`, `exit_code` and, unless it succeeded,
        `reason`; with `left_running`, the pids of processes that could not be ended, if there are some.
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
        """Why the run did not succeed; empty if it did or is under way."""
        return str(self.outcome.get("reason") or "")
