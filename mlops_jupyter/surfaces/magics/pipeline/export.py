"""`%pipeline export`: the notebook as a bundle, for the targets asked for."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.core.plan import Schedule

if TYPE_CHECKING:
    from mlops_jupyter.services.export.service import Exported
    from mlops_jupyter.surfaces.magics.session import Session


@magic_arguments("pipeline export")
@argument("--to", default="python", help="targets, separated by commas; `python` is the bundle alone")
@argument("--output", "-o", required=True, help="the folder to write; a bundle that is there is replaced")
@argument("--outputs", default=None, help="variables to deliver: a,b; default: what no other step takes")
@argument("--name", default=None, help="the pipeline's name; default: the output folder's")
@argument("--schedule", default=None, metavar="CRON", help="when to run, as crontab(5) has it, in quotes")
@argument("--timezone", default="UTC", help="the time zone of the schedule")
@argument("--allow-ipython", action="store_true", help="keep magics that only IPython knows, and IPython with them")
def export(session: Session, args: Namespace) -> Exported:
    """Write the notebook as a pipeline that runs without Jupyter and without this package."""
    from mlops_jupyter.services.export import service
    from mlops_jupyter.services.pipeline.planner import Request
    from mlops_jupyter.surfaces.magics.meaning import Meaning

    output = Path(unquoted(args.output)).expanduser()
    request = Request(
        name=unquoted(args.name) if args.name else output.name,
        outputs=tuple(n.strip() for n in unquoted(args.outputs).split(",") if n.strip()) if args.outputs else None,
        schedule=Schedule(unquoted(args.schedule), unquoted(args.timezone)) if args.schedule else None,
        allow_ipython=args.allow_ipython,
    )
    targets = [t.strip() for t in args.to.split(",") if t.strip()]
    return service.export(session.notebook, request, Meaning(), output, targets, session.workspace.ledger)


def unquoted(text: str) -> str:
    """Take the quotes off that IPython leaves around an argument."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
