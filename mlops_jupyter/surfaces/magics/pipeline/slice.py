"""`%pipeline slice`: the code that made a value."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

if TYPE_CHECKING:
    from mlops_jupyter.services.pipeline.query.slices import Slice
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline slice")
@argument("name", help="a variable of the notebook")
def slice_(session: NotebookSession, args: Namespace) -> Slice:
    """Show the smallest program that gives the value which a name has now: what ran, in the order in which it ran.

    It is plain Python. The value's `text` holds it, `executions` the executions that it is made of, and `starts` the
    random states and files that it starts from.
    """
    from mlops_jupyter.services.pipeline.query.slices import slice_of

    return slice_of(session.notebook, args.name, session.translator)
