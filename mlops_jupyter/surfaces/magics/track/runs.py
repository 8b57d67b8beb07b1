"""`%track runs`: show the runs as a table."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.track.expressions import takes_expressions
from mlops_jupyter.surfaces.magics.track.start_run import unquoted
from mlops_jupyter.surfaces.magics.verbs import Verb

if TYPE_CHECKING:
    import pandas as pd

    from mlops_jupyter.surfaces.magics.session import NotebookSession


@takes_expressions
@magic_arguments("track runs")
@argument(
    "--sort", default=None, metavar="KEY", help="metrics.KEY, params.KEY, started, ...; downward with - before it"
)
@argument("-e", "--experiment", default=None, help="only runs of this experiment")
@argument("--limit", type=int, default=None, help="only so many")
def runs(session: NotebookSession, args: Namespace) -> pd.DataFrame:
    """Show the runs, newest first. The value is a pandas frame, a row a run."""
    from mlops_jupyter.surfaces.widgets.runs import run_table

    tracking = session.workspace.tracking
    for trouble in tracking.troubles():
        print(f"not carried to MLflow, set aside: {trouble.kind} {trouble.id}: {trouble.error}", file=sys.stderr)
    experiment = unquoted(args.experiment) if args.experiment else None
    return run_table(tracking.runs(experiment, args.sort and unquoted(args.sort), args.limit))


VERB = Verb(runs)
