"""`%pipeline`: show the steps and their states."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import magic_arguments

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.pipeline.tables import StepTable
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline")
def show(session: NotebookSession, args: Namespace) -> StepTable:
    """Show the steps: version, what flows in and out, and whether each is fresh, stale, cached or failed."""
    from mlops_jupyter.services.export.run.cache_status import step_states
    from mlops_jupyter.surfaces.magics.pipeline.run import bundle_of, export_request, store_of
    from mlops_jupyter.surfaces.magics.pipeline.tables import StepTable

    request = export_request(session)
    return StepTable(step_states(session.notebook, request, session.translator, bundle_of(session), store_of(session)))
