"""`%pipeline verify`: run a bundle in a clean process and compare its values with the notebook's."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.surfaces.magics.pipeline.export import unquoted

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.pipeline.tables import PerturbationTable, ProofTable
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@magic_arguments("pipeline verify")
@argument("bundle", help="the folder that export wrote")
@argument("--fresh-env", action="store_true", help="build an environment from requirements.lock and run in that")
@argument(
    "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE",
    help="compare with the notebook's cells, run in one process with this parameter; may be repeated",
)  # fmt: skip
@argument("--data", metavar="DIR", help="the same with data files from this folder")
@argument("--perturb", type=int, metavar="N", help="the same on N other days: their data and parameters are made up")
@argument("--seed", type=int, help="of those days (0): the same seed makes the same")
def verify(session: NotebookSession, args: Namespace) -> ProofTable | PerturbationTable:
    """Run the bundle in a clean process and compare with the notebook: identical, close, differs (why), failed."""
    from mlops_jupyter.services.export.differential.perturb import perturb
    from mlops_jupyter.services.export.run import verify as service
    from mlops_jupyter.surfaces.magics.pipeline.progress import Progress
    from mlops_jupyter.surfaces.magics.pipeline.tables import PerturbationTable, ProofTable

    bundle, data = Path(unquoted(args.bundle)).expanduser(), args.data and Path(unquoted(args.data)).expanduser()
    service.check_options(args.parameter, data, args.perturb, args.seed)
    with Progress() as progress:
        if args.perturb is not None:
            return PerturbationTable(perturb(bundle, args.perturb, args.seed or 0, args.fresh_env, told=progress.line))
        if args.parameter or data:
            return ProofTable(service.verify_day(bundle, args.parameter, data, args.fresh_env, progress.line))
        return ProofTable(service.verify(bundle, args.fresh_env, progress.line))
