"""`mlops-jupyter scheduler [install | uninstall]`: run the schedules, or start the scheduler with the machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_jupyter.services.schedule.install import Installation


def add_to(subparsers: Any) -> None:
    """Declare the verb."""
    text = "run the project's schedules until Ctrl-C; a second one stands by and takes over when the first dies"
    parser = subparsers.add_parser("scheduler", help=text, description=text)
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end after this time")
    parser.add_argument("--once", action="store_true", help="run what is due now and end; exit code 1 if a run failed")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="end a run after this time (default: never)")
    parser.add_argument("--ahead", type=float, default=0.0, help=argparse.SUPPRESS)  # tests: seconds added to the clock
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)  # process id of a server: it ends with that
    parser.set_defaults(act=act)
    parts = parser.add_subparsers(dest="part", metavar="PART")
    text = "have the scheduler of this project begin with the machine"
    install = parts.add_parser("install", help=text, description=text)
    how = install.add_mutually_exclusive_group()
    how.add_argument("--systemd", action="store_true", help="by a unit of your systemd (default where systemd runs)")
    how.add_argument("--cron", action="store_true", help="by an @reboot line of your crontab (default elsewhere)")
    install.add_argument("--dry-run", action="store_true", help="print what would be written, and write nothing")
    install.set_defaults(act=_install)
    text = "take away what `scheduler install` wrote for this project"
    parts.add_parser("uninstall", help=text, description=text).set_defaults(act=_uninstall)


def act(args: argparse.Namespace) -> int:
    """Run the scheduler until it is told to end; return its exit code."""
    from mlops_jupyter.workspace import Workspace

    return Workspace.open().scheduler.serve(args.seconds, args.once, args.timeout, args.ahead, args.parent)


def _install(args: argparse.Namespace) -> int:
    from mlops_jupyter.services.schedule.install import Autostart, usual

    how = Autostart.SYSTEMD if args.systemd else Autostart.CRON if args.cron else usual()
    installation = _of_project()
    print(installation.text(how), end="") if args.dry_run else print(installation.install(how))
    return 0


def _uninstall(args: argparse.Namespace) -> int:
    print(_of_project().uninstall())
    return 0


def _of_project() -> Installation:
    from mlops_jupyter.services.schedule.install import Installation
    from mlops_jupyter.workspace import Workspace

    workspace = Workspace.open()
    workspace.close()
    return Installation(workspace.root)
