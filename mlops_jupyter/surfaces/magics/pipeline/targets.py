"""`%pipeline targets`: list the export targets."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import magic_arguments

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.pipeline.tables import TargetTable
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline targets")
def targets(session: NotebookSession, args: Namespace) -> TargetTable:
    """List the targets that a bundle can be exported for, and what of a pipeline each can express."""
    from mlops_jupyter.surfaces.magics.pipeline.tables import TargetTable
    from mlops_jupyter.surfaces.target_list import rows

    return TargetTable(rows())
