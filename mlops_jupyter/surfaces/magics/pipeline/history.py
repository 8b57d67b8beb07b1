"""`%pipeline history`: the versions of a name and the executions that made them."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.pipeline.tables import VersionTable
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline history")
@argument("name", help="a variable of the notebook")
def history(session: NotebookSession, args: Namespace) -> VersionTable:
    """Show every version of a name: when, by which cell, how, from which names, and which one is live."""
    from mlops_jupyter.services.pipeline.query.value_history import versions
    from mlops_jupyter.surfaces.magics.pipeline.tables import VersionTable

    return VersionTable(args.name, versions(session.notebook, args.name))
