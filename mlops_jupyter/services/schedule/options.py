"""The options of a new schedule, put over what its bundle was exported with, and checked."""

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
    """What may be asked of a schedule; None, 0 and "" leave it to the bundle or to the default.

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


def resolve(
    options: ScheduleOptions, bundle: Bundle, others: Iterable[Schedule]
) -> tuple[plan.ScheduleSpec, RunPolicy]:
    """Return when to run and the policy of the runs; raise `UserError` for what cannot be.

    Parameters
    ----------
    others : the schedules of the project, one of which `after` must name.
    """
    spec = _spec(options, bundle)
    spec = replace(spec, concurrency=spec.concurrency if options.concurrency is None else options.concurrency)
    catchup = options.catchup or (Catchup.ALL if spec.catchup else Catchup.ONCE)
    _check(spec, options)
    if spec.after:
        _check_chain(spec.after, bundle, list(others))
    default = RunPolicy()
    alerts = tuple(dict.fromkeys(_alert(word) for word in options.alerts or ((bundle.alert,) if bundle.alert else ())))
    if options.tick and bundle.parameters is not None and options.tick not in bundle.parameters:
        takes = ", ".join(sorted(bundle.parameters)) or "none"
        raise UserError(f"--tick {options.tick!r}: the bundle takes no such parameter: it takes {takes}")
    return replace(spec, catchup=catchup is Catchup.ALL), RunPolicy(
        catchup,
        options.tries,
        default.grace if options.grace is None else options.grace,
        default.logs if options.logs is None else options.logs,
        alerts,
        options.tick,
    )


def _spec(options: ScheduleOptions, bundle: Bundle) -> plan.ScheduleSpec:
    kinds = {
        "--cron": options.cron is not None,
        "--every": options.every_seconds,
        "--on-data": options.data,
        "--after": options.after,
        "--on-drift": options.drift,
    }
    given = [flag for flag, value in kinds.items() if value]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} are two schedules: give one of them, or add the bundle twice")
    if given:
        if options.every_seconds != int(options.every_seconds):
            raise UserError(f"an interval of {options.every_seconds:g} s is not whole seconds: give 30s, 15m, 6h or 1d")
        return plan.ScheduleSpec(
            cron=options.cron or "",
            timezone=options.timezone or "UTC",
            every_seconds=int(options.every_seconds),
            data=options.data,
            after=options.after,
            drift=options.drift,
        )
    if bundle.schedule is None:
        raise UserError(
            f"the bundle {str(bundle.folder)!r} was exported without a schedule: name one, as in --cron '0 6 * * 1'"
        )
    return replace(bundle.schedule, timezone=options.timezone or bundle.schedule.timezone)


def _check(spec: plan.ScheduleSpec, options: ScheduleOptions) -> None:
    if spec.cron or options.cron is not None:
        cron_ticks.check(spec.cron)
    elif spec.timezone != "UTC":
        raise UserError(f"time zone {spec.timezone!r} belongs to a cron expression: leave it out")
    cron_ticks.zone(spec.timezone)
    if spec.concurrency < 1:
        raise UserError(f"concurrency {spec.concurrency} lets no run start: give 1 or more")
    if spec.every_seconds < 0:
        raise UserError(f"an interval of {spec.every_seconds} s goes backwards: give 1s or more")
    if options.catchup and not (spec.cron or spec.every_seconds):
        raise UserError("--catchup is for times that can be missed: give it with --cron or --every")
    if spec.catchup and spec.start:
        start_day(spec)
    if (options.logs or 1) < 1 or options.logs == 0:
        raise UserError(f"--logs {options.logs} keeps no log: give 1 or more")
    if options.tries.retries < 0:
        raise UserError(f"--retries {options.tries.retries}: give 0 or more")
    if options.tries.backoff_seconds and not options.tries.retries:
        raise UserError("--backoff is the pause before a retry, and there is none: give --retries")


def start_day(spec: plan.ScheduleSpec) -> date:
    """Return the day from which missed ticks count."""
    try:
        return date.fromisoformat(spec.start)
    except ValueError:
        raise UserError(f"the schedule's start {spec.start!r} is no day: write it as 2026-01-31") from None


def _check_chain(upstream: str, bundle: Bundle, others: list[Schedule]) -> None:
    """Refuse to wait for what is not there (it would wait for ever) or for itself (it would never end)."""
    known = sorted({other.package for other in others if other.package})
    if upstream not in known and upstream != bundle.package:
        raise UserError(
            f"no schedule here runs the pipeline {upstream!r}: add its bundle first; "
            f"there are {', '.join(known) or 'none'}"
        )
    visited, reached = set[str](), {upstream}
    while reached - visited:
        visited |= reached
        reached = {other.spec.after for other in others if other.package in visited and other.spec.after} | visited
    if bundle.package in visited:
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
