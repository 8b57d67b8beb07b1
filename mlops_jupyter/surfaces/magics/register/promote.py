"""`%register promote NAME@ALIAS --version V`: point an alias at a version."""

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


@magic_arguments("register promote")
@argument("address", metavar="NAME@ALIAS", help="the model and the alias, as in churn@champion")
@argument("--version", type=int, required=True, help="the version that it names from now on")
def promote(session: NotebookSession, args: Namespace) -> ModelView:
    """Point an alias at a version; `rollback` gives it back to the one that held it before. Left out of bundles."""
    with Waiting() as progress:
        return session.workspace.registry.promote(unquoted(args.address), args.version, progress=progress)


VERB = Verb(promote)  # a person's decision on one version: a scheduled run must not repeat it
