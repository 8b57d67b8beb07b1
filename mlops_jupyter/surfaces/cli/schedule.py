"""`mlops-jupyter schedule add | list | remove | history | run`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mlops_jupyter.core.errors import UserError

if TYPE_CHECKING:
    from mlops_jupyter.services.schedule.record import Run, Schedule
    from mlops_jupyter.services.schedule.service import Schedules

Parsers = Any  # what argparse's add_subparsers() returns; its type is private


def add_to(subparsers: Parsers) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "schedule", help="run exported bundles by the clock: add, list, remove, history, run"
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    _declare_add(parts)
    _part(parts, "list", _list, "schedules, and when each runs next")
    _part(parts, "remove", _remove, "take a bundle's schedules, or one by its id, off the clock; the history stays")
    _part(parts, "history", _history, "what ran, the newest first")
    run = _part(parts, "run", _run, "run a schedule's bundle now; recorded in the history")
    run.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="end the run after this time (default: never)")


def _declare_add(parts: Parsers) -> None:
    add = _part(parts, "add", _add_one, "put a bundle on a schedule")
    add.add_argument("--cron", metavar="EXPR", help="five fields of crontab(5), or @daily (default: the bundle's own)")
    add.add_argument("--timezone", metavar="ZONE", help="IANA name (default: the bundle's own with its cron, else UTC)")
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
    schedule = schedules.add(args.bundle, args.cron, args.timezone, _pairs(args.param), args.data)
    _show_schedules([schedule], schedules.now(), args.json, one=True)
    return 0


def _list(args: argparse.Namespace) -> int:
    schedules = _schedules()
    _show_schedules(schedules.find(args.which) if args.which else schedules.list(), schedules.now(), args.json)
    return 0


def _remove(args: argparse.Namespace) -> int:
    schedules = _schedules()
    _show_schedules(schedules.remove(args.which), schedules.now(), args.json)
    return 0


def _history(args: argparse.Namespace) -> int:
    _show_runs(_schedules().history(args.which), args.json)
    return 0


def _run(args: argparse.Namespace) -> int:
    from mlops_jupyter.services.schedule.record import Status

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # not at once: the bundle is to end, and its end recorded
    run = _schedules().run_now(args.which, args.timeout)
    _show_runs([run], args.json, one=True)
    return 0 if run.status is Status.SUCCEEDED else 1


def _schedules() -> Schedules:
    from mlops_jupyter.workspace import Workspace

    return Workspace.open().schedules


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise UserError(f"-p {text!r} has no '=': write -p name=value")
    return dict(text.split("=", 1) for text in texts)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return seconds


def _show_schedules(schedules: Sequence[Schedule], now: float, as_json: bool, one: bool = False) -> None:
    rows = [
        {
            "id": s.id,
            "bundle": str(s.bundle),
            "cron": s.cron,
            "timezone": s.timezone,
            "next": _iso(s.next_due(now), s.timezone),
            "parameters": dict(s.parameters),
            "data": str(s.data) if s.data else None,
        }
        for s in schedules
    ]
    _print(rows, ("id", "bundle", "cron", "timezone", "next"), as_json, one, "no schedules")


def _show_runs(runs: Sequence[Run], as_json: bool, one: bool = False) -> None:
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
    _print(rows, ("id", "bundle", "status", "due", "ended", "reason"), as_json, one, "no runs yet")


def _iso(seconds: float | None, timezone: str = "UTC") -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, ZoneInfo(timezone)).isoformat(timespec="seconds")
    )


def _print(rows: list[dict[str, Any]], columns: Sequence[str], as_json: bool, one: bool, nothing: str) -> None:
    """Print JSON (the object alone where one was asked for), or a table of some columns with short ids and names."""
    if as_json:
        print(json.dumps(rows[0] if one else rows, indent=2))
    elif not rows:
        print(nothing)
    else:
        table = [columns, *([_cell(name, row[name]) for name in columns] for row in rows)]
        widths = [max(len(line[at]) for line in table) for at in range(len(columns))]
        for line in table:
            print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def _cell(name: str, value: str | None) -> str:
    text = "" if value is None else value
    return {"id": text[:14], "bundle": Path(text).name}.get(name, text)
