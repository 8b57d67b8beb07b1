"""`%pipeline diff`: compare the bundle on disk with the notebook as it is now."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.pipeline.export import unquoted

if TYPE_CHECKING:
    from mlops_jupyter.services.export.bundle.diff import Difference
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline diff")
@argument("bundle", help="the folder that export wrote")
def diff(session: NotebookSession, args: Namespace) -> Difference:
    """Say what `export --update` would change in a bundle: steps, parameters, outputs, schedule, files."""
    from mlops_jupyter.services.export import service

    return service.compare(session.notebook, session.translator, Path(unquoted(args.bundle)).expanduser())
