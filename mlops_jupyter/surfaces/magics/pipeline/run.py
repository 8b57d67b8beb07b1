"""`%pipeline run`: the pipeline run on this machine, cached by content."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.runtime.options import OPTIONS, words
from mlops_jupyter.surfaces.magics.pipeline.export import options, unquoted

if TYPE_CHECKING:
    from mlops_jupyter.services.export.here import Ran
    from mlops_jupyter.surfaces.magics.session import Session


@magic_arguments("pipeline run")
@options(OPTIONS)
@argument("--outputs", default=None, help="variables to deliver: a,b; default: what no other step takes")
def run(session: Session, args: Namespace) -> Ran:
    """Run the steps in processes of their own; what did not change comes from the cache.

    The value is a mapping of what the pipeline delivered; the notebook's own variables stay as they are.
    """
    from mlops_jupyter.services.export import here, service
    from mlops_jupyter.services.pipeline.planner import Request
    from mlops_jupyter.surfaces.magics.pipeline.progress import Progress

    folder = session.workspace.folder
    name = session.notebook.name
    outputs = tuple(n.strip() for n in unquoted(args.outputs).split(",")) if args.outputs else None
    request = Request(name, outputs, lock=False)
    exported = service.export(
        session.notebook, request, session.translator, folder / "bundles" / name, ("python",), session.workspace.ledger
    )
    with Progress() as progress:
        return here.run(exported.path, folder / "store", [unquoted(word) for word in words(args)], progress.line)
