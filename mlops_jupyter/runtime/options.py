"""The options of a run, the same in a bundle, on the command line and in a notebook."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import PipelineError
from .executors import NAMES

OPTIONS: Mapping[tuple[str, ...], Mapping[str, Any]] = {
    ("-p", "--parameter"): {
        "action": "append",
        "default": [],
        "metavar": "NAME=VALUE",
        "help": "set a parameter; may be repeated",
    },
    ("--data",): {
        "type": Path,
        "metavar": "DIR",
        "help": "read data files from this folder, where it has them at their path (without the dots that lead up) "
        "or by their name; others from the bundle's copy",
    },
    ("--run",): {"metavar": "RUN", "help": "name of the run (a new one if not given)"},
    ("--from",): {"metavar": "STEP", "help": "run this step and those after it, cached or not"},
    ("--only",): {"metavar": "STEP", "help": "run just this step, on cached inputs"},
    ("--jobs",): {
        "type": int,
        "metavar": "N",
        "help": "how many steps may run at once; default: one a processor, from 2 to 4",
    },
    ("--engine",): {
        "choices": NAMES,
        "default": None,
        "help": "who performs the steps: this machine (local, the default), or a cluster of Ray or Dask",
    },
    ("--address",): {
        "metavar": "ADDRESS",
        "help": "of that cluster; default: what RAY_ADDRESS or DASK_SCHEDULER_ADDRESS names, else one of its own",
    },
    ("--each",): {
        "metavar": "NAME=A,B,C",
        "help": "run once for each value of a parameter, several at once; what the runs share runs once",
    },
    ("--retries",): {
        "type": int,
        "metavar": "N",
        "help": "how often a failed step is tried again, each time after a longer pause; default: as the step says",
    },
    ("--timeout",): {
        "type": float,
        "metavar": "SECONDS",
        "help": "end a step that takes longer, with all that it started; default: as the step says",
    },
    ("--cache-volatile",): {
        "action": "store_const",
        "const": True,
        "help": "take steps that read the clock, the network and the like from the cache, too",
    },
    ("--alert",): {
        "metavar": "VARIABLE",
        "help": "if the run fails, say so to the web address that this environment variable holds",
    },
}
"""Flags -> the arguments of `argparse.ArgumentParser.add_argument`."""

LEAST = {"jobs": 1, "retries": 0}
"""Option -> its smallest valid value."""


def given(asked: Namespace) -> dict[str, Any]:
    """Return the options that were given: long name -> value."""
    names = (flags[-1].removeprefix("--") for flags in OPTIONS)
    return {name: value for name in names if (value := getattr(asked, name.replace("-", "_"))) not in (None, [])}


def words(asked: Namespace) -> list[str]:
    """Return the options that were given, as the words of a command line."""
    several = ((name, value if isinstance(value, list) else [value]) for name, value in given(asked).items())
    pairs = [(f"--{name}", value) for name, values in several for value in values]
    return [word for flag, value in pairs for word in ([flag] if value is True else [flag, str(value)])]


def check(asked: Namespace) -> None:
    """Raise `PipelineError` for an option that no run can honour."""
    values = given(asked)
    for name, least in LEAST.items():
        if values.get(name, least) < least:
            raise PipelineError(f"--{name} {values[name]}: give {least} or more")
    if not 0 < values.get("timeout", 1.0) < math.inf:
        raise PipelineError(f"--timeout {values['timeout']:g}: give a number of seconds above 0")
    if "from" in values and "only" in values:
        raise PipelineError("--from and --only exclude each other: give one of them")
