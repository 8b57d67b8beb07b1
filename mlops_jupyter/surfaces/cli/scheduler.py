"""`mlops-jupyter scheduler`: the process that runs schedules."""

from __future__ import annotations

import argparse
from typing import Any


def add_to(subparsers: Any) -> None:
    """Declare the verb."""
    text = "run the project's schedules until Ctrl-C; a second one stands by and takes over when the first dies"
    parser = subparsers.add_parser("scheduler", help=text, description=text)
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end after this time")
    parser.add_argument("--once", action="store_true", help="run what is due now and end; exit code 1 if a run failed")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="end a run after this time (default: never)")
    parser.add_argument("--ahead", type=float, default=0.0, help=argparse.SUPPRESS)  # tests: seconds added to the clock
    parser.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Serve until told to end."""
    from mlops_jupyter.workspace import Workspace

    return Workspace.open().schedules.serve(args.seconds, args.once, args.timeout, args.ahead)
