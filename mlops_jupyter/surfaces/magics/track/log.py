"""`%track log`: log metrics of the open run."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.track.expressions import expression, pairs, takes_expressions
from mlops_jupyter.surfaces.magics.track.open_run import current
from mlops_jupyter.surfaces.magics.verbs import MagicCode, Verb

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.session import NotebookSession

EXAMPLE = "%track log auc=0.91 loss=history[-1] --step 3"


@takes_expressions
@magic_arguments("track log")
@argument("pairs", nargs="*", metavar="NAME=EXPRESSION", help="metrics; values are Python expressions of the notebook")
@argument("--step", default=None, metavar="EXPRESSION", help="where on the curve they belong (default: 0)")
def log(session: NotebookSession, args: Namespace) -> None:
    """Log metrics in the open run; once the line returns, a crash of the kernel does not lose them."""
    run = current(session)
    values = {name: session.value(text) for name, text in pairs(args.pairs, EXAMPLE).items()}
    run.log(values, step=None if args.step is None else session.value(expression("--step", args.step)))


def code(args: Namespace) -> MagicCode:
    """Return the bundle's call of `log_metrics`."""
    return MagicCode(
        f"log_metrics({mapping(pairs(args.pairs, EXAMPLE))}{'' if args.step is None else f', step={args.step}'})",
        ("tracking:log_metrics",),
    )


def mapping(texts: dict[str, str]) -> str:
    """Return the source of a dict display from names to expressions."""
    return "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


VERB = Verb(log, code)
