"""`mlops-jupyter runs`: list the tracked runs of the project."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_jupyter.runtime.tables import aligned

if TYPE_CHECKING:
    from mlops_jupyter.services.tracking.views import RunView
    from mlops_jupyter.workspace import Workspace


def add_to(subparsers: Any) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("runs", help="the runs of the project", description="The runs of the project.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--sort", metavar="KEY", help="metrics.KEY, params.KEY, started, ...; downward as --sort=-KEY")
    parser.add_argument("-e", "--experiment", help="only runs of this experiment")
    parser.add_argument("--limit", type=int, help="only so many")
    parser.add_argument("--sync", action="store_true", help="wait first until everything has arrived in MLflow")
    parser.add_argument("--retry", action="store_true", help="try again to carry what was set aside")
    parser.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Print the tracked runs; return 0, or 1 if --sync or --retry did not bring everything to MLflow."""
    from mlops_jupyter.workspace import Workspace

    workspace = Workspace.open()
    try:
        arrived = _sync(workspace, args.retry) if args.sync or args.retry else True
        runs = workspace.tracking.runs(args.experiment, args.sort, args.limit)
        print(json.dumps([_plain(run) for run in runs], indent=2) if args.json else _table(runs))
        troubles = workspace.tracking.troubles()
        for trouble in troubles:
            print(f"not carried to MLflow, set aside: {trouble.kind} {trouble.id}: {trouble.error}", file=sys.stderr)
        return 0 if arrived and not (args.sync and troubles) else 1
    finally:
        workspace.close()


def _sync(workspace: Workspace, again: bool) -> bool:
    from mlops_jupyter.integrations.mlflow.courier import flush
    from mlops_jupyter.store.outbox import retry

    if again:
        retry(workspace.ledger)
    return flush(workspace.folder, workspace.tracking_uri, timeout=300)


def _plain(run: RunView) -> dict[str, Any]:
    """Return a run as JSON can hold it: a metric that is not finite becomes None."""
    metrics = {key: value if math.isfinite(value) else None for key, value in run.metrics.items()}
    return {**asdict(run), "metrics": metrics, "seconds": run.seconds}


def _table(runs: Sequence[RunView]) -> str:
    if not runs:
        return "no runs yet"
    rows = [("run", "name", "experiment", "status", "started", "metrics")]
    for run in runs:
        started = datetime.fromtimestamp(run.started).strftime("%Y-%m-%d %H:%M:%S")
        metrics = " ".join(f"{key}={value:.6g}" for key, value in run.metrics.items())
        rows.append((run.id[:16], run.name, run.experiment, run.status, started, metrics))
    return aligned(rows)
