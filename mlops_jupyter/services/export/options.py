"""How an export is asked for: the same words in a notebook and on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Schedule
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
    ("--update",): {
        "action": "store_true",
        "help": "change only what differs in the bundle that is there and keep what stands between comments "
        "`keep: begin NAME` and `keep: end`; options that are not given are as they were",
    },
}
"""Flags -> how `argparse` reads them."""

DEFAULTS = {
    flags[0].removeprefix("--").replace("-", "_"): facts.get("default", False if "action" in facts else None)
    for flags, facts in OPTIONS.items()
}
"""What each option is where nobody gives it."""


def from_args(args: Any) -> dict[str, Any]:
    """Return what a parsed line asks for, by the flags' names: plain data, to be handed to another process."""
    return {name: getattr(args, name) for name in DEFAULTS}


def to_request(found: Mapping[str, Any], name: str) -> PlanRequest:
    """Return what is asked of the planner.

    Parameters
    ----------
    found : what was given of the options; the others are as `DEFAULTS`.
    name : the pipeline's where none was given; an update keeps the name that the bundle has.

    Raises
    ------
    UserError
        A wish that cannot be met, such as two kinds of schedule: before anything is run or written.
    """
    from mlops_jupyter.services.pipeline.planner import PlanRequest

    found = {**DEFAULTS, **found}
    alert = found["alert"] or ""
    secrets = tuple(dict.fromkeys([*found["secret"], *([alert] if alert else [])]))
    for secret in secrets:
        if not secret.isidentifier() or not secret.isascii():
            raise UserError(f"secret {secret!r} is no name of an environment variable: use letters, digits and _")
    return PlanRequest(
        name=found["name"] or ("" if found["update"] else name),
        outputs=tuple(words(found["outputs"])) if found["outputs"] else None,
        schedule=schedule(found),
        allow_ipython=found["allow_ipython"],
        secrets=secrets,
        alert=alert,
        data_bytes=0 if found["data_limit"] == "0" else size(found["data_limit"]),
    )


def schedule(found: Mapping[str, Any]) -> Schedule | None:
    """Return the schedule that is asked for, checked; None where there is none."""
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
    made = Schedule(
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
    _check(made)
    return made


def _check(made: Schedule) -> None:
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
    """Split "a,b" into its words; none is a fault."""
    found = [word.strip() for word in text.split(",") if word.strip()]
    if not found:
        raise UserError(f"{text!r} names nothing: write names separated by commas")
    return found
