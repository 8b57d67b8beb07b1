"""`mlops-jupyter gc`: delete old runs, cells, messages and logs, and what nothing names any more."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import UserError


def add_to(subparsers: Any) -> None:
    """Declare the verb."""
    text = (
        "delete from the project's record, and from the stores of its schedules, what is neither young nor among the "
        "newest; what a model, a schedule or an open message names stays, and so does all that MLflow has not got yet"
    )
    parser = subparsers.add_parser("gc", help="delete what is old and what nothing names any more", description=text)
    parser.add_argument(
        "--keep-runs", type=int, default=20, metavar="N", help="the newest of each kind that stay (%(default)s)"
    )
    parser.add_argument(
        "--older-than", default="30d", metavar="TIME", help="what is younger stays, as 12h or 30d (%(default)s)"
    )
    parser.add_argument(
        "--store",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="prune this store of runs instead of the project; may be repeated",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    parser.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Prune, and print what was deleted."""
    from mlops_jupyter.core.units import seconds
    from mlops_jupyter.services.retention import run_stores
    from mlops_jupyter.services.retention.policy import Deleted, Policy

    if args.keep_runs < 1:
        raise UserError(f"--keep-runs {args.keep_runs} would keep none: the newest is what the next run goes on from")
    policy = Policy(args.keep_runs, seconds(args.older_than), args.dry_run)
    deleted = Deleted(args.dry_run)
    for store in args.store:
        run_stores.prune(store, policy, time.time(), deleted)
    if not args.store:
        _prune_project(policy, deleted)
    print(deleted)
    return 0


def _prune_project(policy: Any, deleted: Any) -> None:
    from mlops_jupyter.services.retention import record, run_stores
    from mlops_jupyter.workspace import Workspace

    workspace = Workspace.open()
    try:
        record.prune(workspace.ledger, workspace.folder, policy, time.time(), deleted)
        for store in record.stores_of(workspace.folder):
            run_stores.prune(store, policy, time.time(), deleted)
    finally:
        workspace.close()
