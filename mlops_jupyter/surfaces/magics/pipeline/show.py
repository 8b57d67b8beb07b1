"""`%pipeline`: the graph as it stands."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import magic_arguments

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.pipeline.tables import StepTable
    from mlops_jupyter.surfaces.magics.session import Session


@magic_arguments("pipeline")
def show(session: Session, args: Namespace) -> StepTable:
    """Show the steps: version, what flows in and out, and whether each is fresh, stale, cached or failed."""
    from mlops_jupyter.services.export.cached import with_cache
    from mlops_jupyter.services.pipeline.planner import Request
    from mlops_jupyter.surfaces.magics.pipeline.tables import StepTable

    request = Request(session.notebook.name, lock=False)
    return StepTable(with_cache(session.notebook, request, session.translator, session.workspace.folder / "store"))
