"""`%track start`: open a run."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.track.start_run import open_run, start_run_call
from mlops_jupyter.surfaces.magics.verbs import MagicCode, Verb

if TYPE_CHECKING:
    from mlops_jupyter.services.tracking.run import Run
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("track start")
@argument("name", nargs="?", default=None, help="the run's name (default: the notebook's)")
@argument("-e", "--experiment", default="default", help="the experiment that it belongs to")
def start(session: NotebookSession, args: Namespace) -> Run:
    """Open a run; a run that is open is ended first. The value is the run: `run = %track start baseline`."""
    return open_run(session, args)


def code(args: Namespace) -> MagicCode:
    """Return the bundle's call of `start_run`."""
    return MagicCode(start_run_call(args), ("tracking:start_run",))


VERB = Verb(start, code)
