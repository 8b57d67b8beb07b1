"""`mlops-jupyter schedule add | list | remove | pause | resume | history | run | backfill`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.tables import aligned

if TYPE_CHECKING:
    from mlops_jupyter.services.schedule.models import Schedule, ScheduledRun
    from mlops_jupyter.services.schedule.options import ScheduleOptions
    from mlops_jupyter.services.schedule.service import Schedules

Parsers = Any  # what argparse's add_subparsers() returns; its type is private


def add_to(subparsers: Parsers) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "schedule",
        help="run exported bundles by the clock or when something happened: add, list, pause, history, backfill ...",
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    _declare_add(parts)
    _part(parts, "list", _list, "schedules, and when each runs next")
    _part(parts, "remove", _remove, "take a bundle's schedules, or one by its id, off the clock; the history stays")
    _part(parts, "pause", _pause, "run nothing of a bundle's schedules, or of one by its id, until they are resumed")
    _part(parts, "resume", _resume, "go on with what was paused; what fell into the pause does not run")
    _part(parts, "history", _history, "what ran, the newest first, with the logs that are kept")
    run = _part(parts, "run", _run, "run a schedule's bundle now; recorded in the history")
    run.add_argument("--timeout", type=_time, metavar="TIME", help="end the run after this time (default: its own)")
    text = "run each tick of some days that has not succeeded yet, the oldest first; asked for again it goes on"
    backfill = _part(parts, "backfill", _backfill, text)
    backfill.add_argument("--from", dest="first", type=_day, required=True, metavar="DATE", help="as 2026-01-31")
    backfill.add_argument("--to", dest="last", type=_day, required=True, metavar="DATE", help="the last day, included")


def _declare_add(parts: Parsers) -> None:
    add = _part(
        parts, "add", _add_one, "put a bundle on a schedule: one of five kinds, or the one it was exported with"
    )
    kind = add.add_mutually_exclusive_group()
    kind.add_argument("--cron", metavar="EXPR", help="at the times of five fields of crontab(5), or @daily")
    kind.add_argument("--every", type=_time, default=0, metavar="TIME", help="at an interval: 30m, 6h, 1d")
    kind.add_argument("--on-data", default="", metavar="PATTERN", help="when files of this pattern or address are new")
    kind.add_argument("--after", default="", metavar="PIPELINE", help="when a scheduled run of that one has succeeded")
    text = "when the drift check of that name, or a scheduled pipeline of that name that checks its data, finds drift"
    kind.add_argument("--on-drift", default="", metavar="NAME", help=text)
    add.add_argument("--timezone", metavar="ZONE", help="IANA name (default: the bundle's own with its cron, else UTC)")
    text = (
        "of ticks that were missed run the last one, all, or none (default: once; a bundle exported with catchup: all)"
    )
    add.add_argument("--catchup", choices=("once", "all", "none"), help=text)
    add.add_argument("--concurrency", type=int, metavar="N", help="how many runs at once (default: the bundle's, or 1)")
    add.add_argument("--retries", type=int, default=0, metavar="N", help="how often a failed run is tried again")
    text = "pause before the first retry; each later one is twice as long (default: none)"
    add.add_argument("--backoff", type=_time, metavar="TIME", help=text)
    add.add_argument("--timeout", type=_time, metavar="TIME", help="end a try with all its processes after this time")
    text = (
        "an environment variable with Apprise addresses, or a file of Apprise's, to tell of failures; may be repeated"
    )
    add.add_argument("--alert", action="append", default=[], metavar="NAME_OR_FILE", help=text)
    add.add_argument(
        "--grace", type=_time, metavar="TIME", help="a tick is missing when it has not run after (default: 5m)"
    )
    add.add_argument("--logs", type=int, metavar="N", help="how many logs of runs are kept (default: 50)")
    add.add_argument("--tick", default="", metavar="NAME", help="the parameter that takes the time of each tick")
    add.add_argument("-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="override of each run")
    add.add_argument("--data", type=Path, metavar="DIR", help="folder that takes the place of the bundle's own data")


def _part(parts: Parsers, name: str, act: Any, help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parts.add_parser(name, help=help, description=help)
    if name == "add":
        parser.add_argument("bundle", type=Path, metavar="DIR", help="folder that `export` wrote")
    else:
        nargs = "?" if name in ("list", "history") else None
        parser.add_argument("which", nargs=nargs, metavar="DIR_OR_ID", help="a bundle's folder, or a schedule's id")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(act=act)
    return parser


def _add_one(args: argparse.Namespace) -> int:
    schedules = _schedules()
    schedule = schedules.add(args.bundle, None, None, _pairs(args.param), args.data, _options(args))
    _show_schedules([schedule], schedules.now(), args.json, one=True)
    return 0


def _options(args: argparse.Namespace) -> ScheduleOptions:
    from mlops_jupyter.core.plan import Resources
    from mlops_jupyter.services.schedule.models import Catchup
    from mlops_jupyter.services.schedule.options import ScheduleOptions

    return ScheduleOptions(
        cron=args.cron,
        timezone=args.timezone,
        every_seconds=args.every,
        data=args.on_data,
        after=args.after,
        drift=args.on_drift,
        concurrency=args.concurrency,
        catchup=Catchup(args.catchup) if args.catchup else None,
        tries=Resources(retries=args.retries, backoff_seconds=args.backoff, timeout_seconds=args.timeout),
        grace=args.grace,
        logs=args.logs,
        alerts=tuple(args.alert),
        tick=args.tick,
    )


def _list(args: argparse.Namespace) -> int:
    schedules = _schedules()
    _show_schedules(schedules.find(args.which) if args.which else schedules.list(), schedules.now(), args.json)
    return 0


def _remove(args: argparse.Namespace) -> int:
    schedules = _schedules()
    removed = schedules.remove(args.which)
    if not args.json:
        print("taken off the clock:")
    _show_schedules(removed, schedules.now(), args.json)
    return 0


def _pause(args: argparse.Namespace) -> int:
    schedules = _schedules()
    _show_schedules(schedules.pause(args.which), schedules.now(), args.json)
    return 0


def _resume(args: argparse.Namespace) -> int:
    schedules = _schedules()
    _show_schedules(schedules.resume(args.which), schedules.now(), args.json)
    return 0


def _history(args: argparse.Namespace) -> int:
    runs = _schedules().history(args.which)
    _show_runs(runs, args.json)
    if not args.json and any(run.log is None for run in runs):
        print("(runs without a log: only the last logs of a schedule are kept, see `schedule add --logs`)")
    return 0


def _run(args: argparse.Namespace) -> int:
    from mlops_jupyter.services.schedule.models import RunState

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exception: the bundle is ended and its end recorded
    run = _schedules().run_now(args.which, args.timeout)
    _show_runs([run], args.json, one=True)
    return 0 if run.status is RunState.SUCCEEDED else 1


def _backfill(args: argparse.Namespace) -> int:
    from mlops_jupyter.services.schedule.models import RunState
    from mlops_jupyter.workspace import Workspace

    def show(run: ScheduledRun) -> None:
        print(f"{_iso(run.due)} {run.status.value}" + (f": {run.reason}" if run.reason else ""), file=sys.stderr)

    runs = Workspace.open().scheduler.backfill(args.which, args.first, args.last, show)
    _show_runs(runs, args.json, nothing="nothing to run: each of these ticks has succeeded, or there are none")
    return 0 if all(run.status is RunState.SUCCEEDED for run in runs) else 1


def _schedules() -> Schedules:
    from mlops_jupyter.workspace import Workspace

    return Workspace.open().schedules


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise UserError(f"-p {text!r} has no '=': write -p name=value")
    return dict(text.split("=", 1) for text in texts)


def _time(text: str) -> float:
    from mlops_jupyter.core.units import seconds

    try:
        return seconds(text)
    except UserError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-01-31") from None


def _show_schedules(schedules: Sequence[Schedule], now: float, as_json: bool, one: bool = False) -> None:
    from mlops_jupyter.services.schedule.ticks import coming

    rows = [
        {
            "id": s.id,
            "bundle": str(s.bundle),
            "when": s.spec.shown,
            "cron": s.cron,
            "timezone": s.timezone,
            "next": _iso(coming(s, now), s.timezone),
            "paused": _iso(s.paused, s.timezone),
            "parameters": dict(s.parameters),
            "data": str(s.data) if s.data else None,
            "catchup": s.policy.catchup.value,
            "concurrency": s.spec.concurrency,
            "retries": s.policy.tries.retries,
            "backoff": s.policy.tries.backoff_seconds,
            "timeout": s.policy.tries.timeout_seconds,
            "alert": list(s.policy.alerts),
        }
        for s in schedules
    ]
    _print(rows, ("id", "bundle", "when", "next", "paused"), as_json, one, "no schedules")


def _show_runs(runs: Sequence[ScheduledRun], as_json: bool, one: bool = False, nothing: str = "no runs yet") -> None:
    rows = [
        {
            "id": r.id,
            "schedule": r.schedule,
            "bundle": str(r.bundle),
            "status": r.status.value,
            "due": _iso(r.due),
            "started": _iso(r.started),
            "ended": _iso(r.ended),
            "reason": r.reason,
            "log": str(r.log) if r.log else None,
            "outcome": dict(r.outcome),
        }
        for r in runs
    ]
    _print(rows, ("id", "bundle", "status", "due", "ended", "log", "reason"), as_json, one, nothing)


def _iso(seconds: float | None, timezone: str = "UTC") -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, ZoneInfo(timezone)).isoformat(timespec="seconds")
    )


def _print(rows: list[dict[str, Any]], columns: Sequence[str], as_json: bool, one: bool, nothing: str) -> None:
    """Print the rows as JSON (with `one` the object alone), or as a table of `columns` with short ids and names."""
    if as_json:
        print(json.dumps(rows[0] if one else rows, indent=2))
    elif not rows:
        print(nothing)
    else:
        print(aligned([columns, *([_cell(name, row[name]) for name in columns] for row in rows)]))


def _cell(name: str, value: str | None) -> str:
    text = "" if value is None else value
    if name == "log" and value:
        path = Path(value)
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else value
    return {"id": text[:14], "bundle": Path(text).name}.get(name, text)
