"""What is asked of a schedule, put over what its bundle was exported with, and checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mlops_jupyter.core import plan
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.cron import ticks as cron_ticks
from mlops_jupyter.services.schedule.bundle import Bundle
from mlops_jupyter.services.schedule.models import ONE_TRY, Catchup, RunPolicy, Schedule


@dataclass(frozen=True)
class ScheduleOptions:
    """What may be asked of a schedule; None, 0 and "" leave it to the bundle or to what is usual.

    Attributes
    ----------
    cron, timezone, every_seconds, data, after, drift, concurrency : as in `core.plan.Schedule`.
    catchup, tries, grace, logs, alerts, tick : as in `RunPolicy`.
    """

    cron: str | None = None
    timezone: str | None = None
    every_seconds: float = 0
    data: str = ""
    after: str = ""
    drift: str = ""
    concurrency: int | None = None
    catchup: Catchup | None = None
    tries: plan.Resources = ONE_TRY
    grace: float | None = None
    logs: int | None = None
    alerts: tuple[str, ...] = ()
    tick: str = ""


def resolve(wish: ScheduleOptions, bundle: Bundle, others: Iterable[Schedule]) -> tuple[plan.Schedule, RunPolicy]:
    """Return when to run and how runs are kept; raise `UserError` for what cannot be.

    Parameters
    ----------
    others : the schedules that are kept already, one of which `after` must name.
    """
    wanted = _kind(wish, bundle)
    wanted = replace(wanted, concurrency=wanted.concurrency if wish.concurrency is None else wish.concurrency)
    catchup = wish.catchup or (Catchup.ALL if wanted.catchup else Catchup.ONCE)
    _check(wanted, wish)
    if wanted.after:
        _check_chain(wanted.after, bundle, list(others))
    usual = RunPolicy()
    alerts = tuple(dict.fromkeys(_alert(word) for word in wish.alerts or ((bundle.alert,) if bundle.alert else ())))
    if wish.tick and bundle.parameters is not None and wish.tick not in bundle.parameters:
        takes = ", ".join(sorted(bundle.parameters)) or "none"
        raise UserError(f"--tick {wish.tick!r}: the bundle takes no such parameter: it takes {takes}")
    return replace(wanted, catchup=catchup is Catchup.ALL), RunPolicy(
        catchup,
        wish.tries,
        usual.grace if wish.grace is None else wish.grace,
        usual.logs if wish.logs is None else wish.logs,
        alerts,
        wish.tick,
    )


def _kind(wish: ScheduleOptions, bundle: Bundle) -> plan.Schedule:
    kinds = {
        "--cron": wish.cron is not None,
        "--every": wish.every_seconds,
        "--on-data": wish.data,
        "--after": wish.after,
        "--on-drift": wish.drift,
    }
    given = [flag for flag, value in kinds.items() if value]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} are two schedules: give one of them, or add the bundle twice")
    if given:
        if wish.every_seconds != int(wish.every_seconds):
            raise UserError(f"an interval of {wish.every_seconds:g} s is not whole seconds: give 30s, 15m, 6h or 1d")
        return plan.Schedule(
            cron=wish.cron or "",
            timezone=wish.timezone or "UTC",
            every_seconds=int(wish.every_seconds),
            data=wish.data,
            after=wish.after,
            drift=wish.drift,
        )
    if bundle.schedule is None:
        raise UserError(
            f"the bundle {str(bundle.folder)!r} was exported without a schedule: name one, as in --cron '0 6 * * 1'"
        )
    return replace(bundle.schedule, timezone=wish.timezone or bundle.schedule.timezone)


def _check(wanted: plan.Schedule, wish: ScheduleOptions) -> None:
    if wanted.cron or wish.cron is not None:
        cron_ticks.check(wanted.cron)
    elif wanted.timezone != "UTC":
        raise UserError(f"time zone {wanted.timezone!r} belongs to a cron expression: leave it out")
    cron_ticks.zone(wanted.timezone)
    if wanted.concurrency < 1:
        raise UserError(f"concurrency {wanted.concurrency} lets no run start: give 1 or more")
    if wanted.every_seconds < 0:
        raise UserError(f"an interval of {wanted.every_seconds} s goes backwards: give 1s or more")
    if wish.catchup and not (wanted.cron or wanted.every_seconds):
        raise UserError("--catchup is for times that can be missed: give it with --cron or --every")
    if wanted.catchup and wanted.start:
        start(wanted)
    if (wish.logs or 1) < 1 or wish.logs == 0:
        raise UserError(f"--logs {wish.logs} keeps no log: give 1 or more")
    if wish.tries.retries < 0:
        raise UserError(f"--retries {wish.tries.retries}: give 0 or more")
    if wish.tries.backoff_seconds and not wish.tries.retries:
        raise UserError("--backoff is the pause before a retry, and there is none: give --retries")


def start(wanted: plan.Schedule) -> date:
    """Return the day from which missed ticks count."""
    try:
        return date.fromisoformat(wanted.start)
    except ValueError:
        raise UserError(f"the schedule's start {wanted.start!r} is no day: write it as 2026-01-31") from None


def _check_chain(upstream: str, bundle: Bundle, others: list[Schedule]) -> None:
    """Refuse to wait for what is not there (it would wait for ever) or for itself (it would never end)."""
    known = sorted({one.package for one in others if one.package})
    if upstream not in known and upstream != bundle.package:
        raise UserError(
            f"no schedule here runs the pipeline {upstream!r}: add its bundle first; "
            f"there are {', '.join(known) or 'none'}"
        )
    seen, reached = set[str](), {upstream}
    while reached - seen:
        seen |= reached
        reached = {one.wanted.after for one in others if one.package in seen and one.wanted.after} | seen
    if bundle.package in seen:
        raise UserError(f"{bundle.package!r} after {upstream!r} would start itself again and again: break the circle")


def _alert(word: str) -> str:
    """Return a variable's name as it is, a file's as a whole path; refuse an address: the ledger keeps no secrets."""
    if word.isidentifier() and word.isascii():
        return word
    if "://" in word:
        raise UserError(
            "an alert's address may hold a password, which the ledger must not: put it into an environment variable "
            "and give that one's name"
        )
    if not Path(word).is_file():
        raise UserError(f"alert {word!r} is neither the name of an environment variable nor a file of Apprise's")
    return str(Path(word).resolve())
