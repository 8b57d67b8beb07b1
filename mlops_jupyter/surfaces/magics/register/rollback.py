"""`%register rollback NAME@ALIAS`: give an alias back to the version that held it before."""

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


@magic_arguments("register rollback")
@argument("address", metavar="NAME@ALIAS", help="the model and the alias, as in churn@champion")
def rollback(session: NotebookSession, args: Namespace) -> ModelView:
    """Give an alias back to the version that held it before; again, to the one before that. Left out of bundles."""
    with Waiting() as progress:
        return session.workspace.registry.rollback(unquoted(args.address), progress=progress)


VERB = Verb(rollback)
