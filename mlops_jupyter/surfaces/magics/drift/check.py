"""`%drift REFERENCE CURRENT`: compare a frame with its reference."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.drift.expressions import two
from mlops_jupyter.surfaces.magics.verbs import MagicCode, Verb

if TYPE_CHECKING:
    from mlops_jupyter.runtime.drift import DriftReport
    from mlops_jupyter.surfaces.magics.session import NotebookSession

DEFAULTS = {"columns": None, "alpha": 0.05, "share": 0.5, "threshold": 0.1}
"""The defaults of `check` in the runtime; a flag with its default value is left out of the bundle's code."""


@magic_arguments("drift")
@argument("frames", nargs="+", metavar="REFERENCE CURRENT", help="two expressions: frames; the first may be a Profile")
@argument("--columns", metavar="a,b", help="compare only these (default: all of the reference's)")
@argument("--alpha", type=float, default=DEFAULTS["alpha"], help="allowed chance of a false alarm (default: 0.05)")
@argument("--share", type=float, default=DEFAULTS["share"], help="share of columns that must drift (default: 0.5)")
@argument("--threshold", type=float, default=DEFAULTS["threshold"], help="least effect that matters (default: 0.1)")
@argument("--warn", action="store_true", help="in a pipeline: log and print the drift, but do not stop the run")
@argument("--no-plots", action="store_true", help="show the table only")
def act(session: NotebookSession, args: Namespace) -> DriftReport:
    """Compare CURRENT with REFERENCE, column by column; the value is the report.

    A column has drifted when the difference is both significant and large enough to matter. In an exported pipeline
    the same check stops the run when the whole has drifted, unless --warn is given.
    """
    from mlops_jupyter.surfaces.widgets.drift import offer

    reference, current = two(args.frames)
    report = session.workspace.drift.check(
        session.value(reference), session.value(current), subject=f"{reference} vs {current}", **_options(args)
    )
    offer(session.shell)
    return report.without_pictures() if args.no_plots else report


def code(args: Namespace) -> MagicCode:
    """Return the bundle's code: the drift check, as a gate of the run."""
    options = {name: value for name, value in _options(args).items() if value != DEFAULTS[name]}
    options |= {"warn": True} if args.warn else {}
    arguments = [*two(args.frames), *(f"{name}={value!r}" for name, value in options.items())]
    return MagicCode(f"check_drift({', '.join(arguments)})", ("drift:check_drift",))


def _options(args: Namespace) -> dict[str, Any]:
    columns = [name.strip() for name in args.columns.split(",") if name.strip()] if args.columns else None
    return {"columns": columns, "alpha": args.alpha, "share": args.share, "threshold": args.threshold}


VERB = Verb(act, code)
