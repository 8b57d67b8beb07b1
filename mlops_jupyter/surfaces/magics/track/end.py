"""`%track end`: close the open run."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.track.open_run import current
from mlops_jupyter.surfaces.magics.verbs import MagicCode, Verb

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("track end")
@argument("--failed", action="store_true", help="it did not come to what it was for")
def end(session: NotebookSession, args: Namespace) -> None:
    """Close the open run."""
    current(session).end(failed=args.failed)


def code(args: Namespace) -> MagicCode:
    """Return the bundle's call of `end_run`."""
    return MagicCode(f"end_run({'failed=True' if args.failed else ''})", ("tracking:end_run",))


VERB = Verb(end, code)
