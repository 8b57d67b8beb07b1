"""`%pipeline verify`: run a bundle in a clean process and compare its values with the notebook's."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.pipeline.export import unquoted

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.pipeline.tables import ProofTable
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline verify")
@argument("bundle", help="the folder that export wrote")
@argument("--fresh-env", action="store_true", help="build an environment from requirements.lock and run in that")
def verify(session: NotebookSession, args: Namespace) -> ProofTable:
    """Run the bundle in a clean process and compare with the notebook: identical, close, differs (why), failed."""
    from mlops_jupyter.services.export.run import verify as service
    from mlops_jupyter.surfaces.magics.pipeline.progress import Progress
    from mlops_jupyter.surfaces.magics.pipeline.tables import ProofTable

    with Progress() as progress:
        return ProofTable(service.verify(Path(unquoted(args.bundle)).expanduser(), args.fresh_env, progress.line))
