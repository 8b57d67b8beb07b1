"""`%pipeline run`: run the pipeline on this machine, cached by content."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.runtime.options import OPTIONS, words
from mlops_jupyter.surfaces.magics.pipeline.export import options, unquoted

if TYPE_CHECKING:
    from mlops_jupyter.services.export.run.local_run import LocalRun
    from mlops_jupyter.services.pipeline.planner import PlanRequest
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline run")
@options(OPTIONS)
@argument("--outputs", default=None, help="variables to deliver: a,b; default: what no other step takes")
def run(session: NotebookSession, args: Namespace) -> LocalRun:
    """Run the steps in processes of their own; what did not change comes from the cache.

    The value is a mapping of what the pipeline delivered; the notebook's own variables stay as they are.
    """
    from mlops_jupyter.services.export import service
    from mlops_jupyter.services.export.run import local_run
    from mlops_jupyter.surfaces.magics.pipeline.progress import Progress

    outputs = tuple(n.strip() for n in unquoted(args.outputs).split(",")) if args.outputs else None
    exported = service.export(
        session.notebook,
        export_request(session, outputs),
        session.translator,
        bundle_of(session),
        ("python",),
        session.workspace.ledger,
    )
    with Progress() as progress:
        return local_run.run(exported.path, store_of(session), [unquoted(word) for word in words(args)], progress.line)


def export_request(session: NotebookSession, outputs: tuple[str, ...] | None = None) -> PlanRequest:
    """Return the plan request for the bundle of a local run."""
    from mlops_jupyter.services.pipeline.planner import PlanRequest

    return PlanRequest(session.notebook.name, outputs, lock=False)


def bundle_of(session: NotebookSession) -> Path:
    """Return the folder of the bundle that a local run exports and starts."""
    return session.workspace.folder / "bundles" / session.notebook.name


def store_of(session: NotebookSession) -> Path:
    """Return the folder of the store that holds the results of local runs."""
    return session.workspace.folder / "store"
