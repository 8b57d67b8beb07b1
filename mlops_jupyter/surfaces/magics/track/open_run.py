"""The run that is open in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_jupyter.core.errors import UserError

if TYPE_CHECKING:
    from mlops_jupyter.services.tracking.run import Run
    from mlops_jupyter.surfaces.magics.session import NotebookSession


def current(session: NotebookSession) -> Run:
    """Return the open run; raise `UserError` if there is none."""
    run = session.workspace.tracking.active
    if run is None:
        raise UserError("no run is open: start one with `%track start NAME`")
    return run
