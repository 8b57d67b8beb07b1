"""`%register list`: the registered models."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import magic_arguments

from mlops_jupyter.surfaces.magics.register.waiting import Waiting
from mlops_jupyter.surfaces.magics.verbs import Verb

if TYPE_CHECKING:
    from mlops_jupyter.services.registry.views import ModelView
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("register list")
def list_models(session: NotebookSession, args: Namespace) -> list[ModelView]:
    """Show every registered model with its versions and aliases, also those that scheduled runs registered."""
    from mlops_jupyter.surfaces.widgets.models import Models

    with Waiting() as progress:
        return Models(session.workspace.registry.list(progress=progress))


VERB = Verb(list_models)
