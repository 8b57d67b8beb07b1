"""Opens the run that a line `NAME -e EXPERIMENT` names, in the notebook and in a bundle."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_jupyter.services.tracking.run import Run
    from mlops_jupyter.surfaces.magics.session import NotebookSession


def unquoted(text: str) -> str:
    """Return a line's argument without its quotes.

    Examples
    --------
    >>> unquoted('"first try"')
    'first try'
    """
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def open_run(session: NotebookSession, args: Namespace) -> Run:
    """Open the run that a line names, in this notebook's session."""
    path = session.notebook.path
    return session.workspace.tracking.start(
        unquoted(args.name) if args.name else session.notebook.name,
        unquoted(args.experiment),
        notebook=str(path) if path else None,
        session=session.recorder.session,
    )


def start_run_call(args: Namespace, inside: bool = False) -> str:
    """Return the bundle's call of `start_run` for a line; the name defaults to the pipeline's when the call runs."""
    parts = [repr(unquoted(args.name))] if args.name else []
    if args.experiment != "default":
        parts.append(f"experiment={unquoted(args.experiment)!r}")
    return f"start_run({', '.join([*parts, 'inside=True'] if inside else parts)})"
