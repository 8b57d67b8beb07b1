"""`%register show NAME`: show one model."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.register.waiting import Waiting
from mlops_jupyter.surfaces.magics.track.start_run import unquoted
from mlops_jupyter.surfaces.magics.verbs import Verb

if TYPE_CHECKING:
    from mlops_jupyter.services.registry.views import ModelView
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("register show")
@argument("name", help="the model")
def show(session: NotebookSession, args: Namespace) -> ModelView:
    """Show a model's versions with their metrics and aliases."""
    with Waiting() as progress:
        return session.workspace.registry.show(unquoted(args.name), progress=progress)


VERB = Verb(show)
