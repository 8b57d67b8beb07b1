"""`%track params`: log parameters of the open run."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.track.expressions import pairs, takes_expressions
from mlops_jupyter.surfaces.magics.track.log import mapping
from mlops_jupyter.surfaces.magics.track.open_run import current
from mlops_jupyter.surfaces.magics.verbs import MagicCode, Verb

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.session import NotebookSession

EXAMPLE = "%track params depth=3 columns=list(X.columns)"


@takes_expressions
@magic_arguments("track params")
@argument("pairs", nargs="*", metavar="NAME=EXPRESSION", help="settings; values are Python expressions of the notebook")
def params(session: NotebookSession, args: Namespace) -> None:
    """Log parameters of the open run. A parameter does not change once it is logged."""
    run = current(session)
    run.params({name: session.value(text) for name, text in pairs(args.pairs, EXAMPLE).items()})


def code(args: Namespace) -> MagicCode:
    """Return the bundle's call of `log_params`."""
    return MagicCode(f"log_params({mapping(pairs(args.pairs, EXAMPLE))})", ("tracking:log_params",))


VERB = Verb(params, code)
