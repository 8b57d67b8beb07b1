"""The options of an export: the same flags in a notebook and on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.core.units import seconds, size

if TYPE_CHECKING:
    from mlops_jupyter.services.pipeline.planner import PlanRequest

OPTIONS: Mapping[tuple[str, ...], Mapping[str, Any]] = {
    ("--to",): {"default": "python", "help": "targets: a,b (`mlops-jupyter targets` lists them)"},
    ("--outputs",): {"metavar": "NAMES", "help": "variables to deliver: a,b; default: what no other step takes"},
    ("--name",): {"help": "the pipeline's name; default: the output folder's"},
    ("--schedule",): {"metavar": "CRON", "help": "when to run, as crontab(5) has it, in quotes"},
    ("--timezone",): {"default": "UTC", "help": "the time zone of the schedule"},
    ("--every",): {"metavar": "TIME", "help": "run at an interval instead: 30m, 6h, 1d"},
    ("--on-data",): {"metavar": "PATTERN", "help": "run when files of this pattern or address are new instead"},
    ("--after",): {"metavar": "PIPELINE", "help": "run when a run of that pipeline has succeeded instead"},
    ("--on-drift",): {"metavar": "NAME", "help": "run when the drift check of that name finds drift instead"},
    ("--catchup",): {"action": "store_true", "help": "also run what fell due while the scheduler was down"},
    ("--start",): {"default": "", "metavar": "DATE", "help": "the day from which --catchup counts, as 2026-01-31"},
    ("--concurrency",): {"type": int, "default": 1, "metavar": "N", "help": "how many runs at once; default: 1"},
    ("--secret",): {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "an environment variable that a target fills from its secrets; may be repeated",
    },
    ("--alert",): {"metavar": "NAME", "help": "the secret that holds the web address to tell when a run fails"},
    ("--data-limit",): {
        "default": "50MB",
        "metavar": "SIZE",
        "help": "data files up to this size travel with the bundle, larger ones are named by content; default: 50MB",
    },
    ("--allow-ipython",): {
        "action": "store_true",
        "help": "keep magics that only IPython knows, and IPython with them",
    },
    ("--allow-errors",): {
        "action": "store_true",
        "help": "go on after a cell that raises, and keep what it did before (for one cell: tag it raises-exception)",
    },
    ("--update",): {
        "action": "store_true",
        "help": "change only what differs in the bundle that is there and keep what stands between comments "
        "`keep: begin NAME` and `keep: end`; options that are not given are as they were",
    },
}
"""Flags -> the keyword arguments of `argparse` for them."""

DEFAULTS = {
    flags[0].removeprefix("--").replace("-", "_"): facts.get("default", False if "action" in facts else None)
    for flags, facts in OPTIONS.items()
}
"""Option name -> its value where it is not given."""


def from_args(args: Any) -> dict[str, Any]:
    """Return the options of a parsed line, name -> value: plain data, which can be sent to another process."""
    return {name: getattr(args, name) for name in DEFAULTS}


def to_request(found: Mapping[str, Any], name: str) -> PlanRequest:
    """Return the request that the options make to the planner.

    Parameters
    ----------
    found : the options that were given, name -> value; the others are as in `DEFAULTS`.
    name : the pipeline's name where the options have none; an update keeps the name that the bundle has.

    Raises
    ------
    UserError
        An option is invalid, or contradicts another, as two kinds of schedule do.
    """
    from mlops_jupyter.services.pipeline.planner import PlanRequest

    values = {**DEFAULTS, **found}
    alert = values["alert"] or ""
    secrets = tuple(dict.fromkeys([*values["secret"], *([alert] if alert else [])]))
    for secret in secrets:
        if not secret.isidentifier() or not secret.isascii():
            raise UserError(f"secret {secret!r} is no name of an environment variable: use letters, digits and _")
    return PlanRequest(
        name=values["name"] or ("" if values["update"] else name),
        outputs=tuple(words(values["outputs"])) if values["outputs"] else None,
        schedule=schedule(values),
        allow_ipython=values["allow_ipython"],
        allow_errors=values["allow_errors"],
        secrets=secrets,
        alert=alert,
        data_bytes=0 if values["data_limit"] == "0" else size(values["data_limit"]),
    )


def schedule(found: Mapping[str, Any]) -> ScheduleSpec | None:
    """Return the schedule that the options ask for; None if they ask for none.

    Raises
    ------
    UserError
        The schedule is invalid, or there are two, or options of a schedule are given without one.
    """
    kinds = {"--" + n.replace("_", "-"): found[n] for n in ("schedule", "every", "on_data", "after", "on_drift")}
    given = [flag for flag, value in kinds.items() if value]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} are two schedules: give one of them")
    if not given:
        only = [flag for flag, on in (("--catchup", found["catchup"]), ("--start", found["start"])) if on]
        if only:
            raise UserError(f"{only[0]} says how a schedule is kept, and there is none: give --schedule")
        return None
    if found["concurrency"] < 1:
        raise UserError(f"--concurrency {found['concurrency']} lets no run start: give 1 or more")
    every = found["every"] and seconds(found["every"])
    if every and every != int(every):
        raise UserError(f"--every {found['every']!r} is not whole seconds: give it as 30s, 15m, 6h or 1d")
    requested = ScheduleSpec(
        cron=found["schedule"] or "",
        timezone=found["timezone"],
        catchup=found["catchup"],
        start=found["start"],
        every_seconds=int(every or 0),
        data=found["on_data"] or "",
        after=found["after"] or "",
        drift=found["on_drift"] or "",
        concurrency=found["concurrency"],
    )
    _check(requested)
    return requested


def _check(made: ScheduleSpec) -> None:
    from mlops_jupyter.services.cron.ticks import check, zone

    if made.cron:
        check(made.cron)
    elif made.timezone != "UTC":
        raise UserError(f"--timezone {made.timezone!r} belongs to --schedule: leave it out")
    zone(made.timezone)
    if made.catchup and not (made.cron or made.every_seconds):
        raise UserError("--catchup needs times that can be missed: give --schedule or --every")
    try:
        day = date.fromisoformat(made.start) if made.start else None
    except ValueError:
        raise UserError(f"--start {made.start!r} is no day: write it as 2026-01-31") from None
    if made.catchup and day is None:
        raise UserError("--catchup needs the day from which missed runs count: give --start 2026-01-31")


def words(text: str) -> Sequence[str]:
    """Return the words of a list such as "a,b"; raise `UserError` if it has none."""
    found = [word.strip() for word in text.split(",") if word.strip()]
    if not found:
        raise UserError(f"{text!r} names nothing: write names separated by commas")
    return found
