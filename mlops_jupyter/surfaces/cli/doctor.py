"""`mlops-jupyter doctor`: check what is installed, reachable and misconfigured."""

from __future__ import annotations

import argparse
import json
import os
from itertools import chain
from pathlib import Path
from typing import Any

from mlops_jupyter.runtime.tables import aligned


def add_to(subparsers: Any) -> None:
    """Declare the verb."""
    text = "check what is installed, reachable and misconfigured; exit code 1 if something is broken"
    parser = subparsers.add_parser("doctor", help=text, description=text)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Print each check and what to do; return 1 if one failed. The project is not opened: it may be what is broken."""
    from mlops_jupyter.services.doctor.service import CheckStatus, examine

    folder = _folder()
    results = examine(folder, os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}")
    if args.json:
        print(
            json.dumps(
                [{"name": f.name, "state": f.state.value, "what": f.what, "do": f.do} for f in results], indent=2
            )
        )
    else:
        rows = [[(f.state.value, f.name, f.what), *([("", "", f"-> {f.do}")] if f.do else [])] for f in results]
        print(aligned(chain.from_iterable(rows)))
    return int(any(f.state is CheckStatus.FAULT for f in results))


def _folder() -> Path:
    """Return the path of the project's `.mlops` as `Workspace.open` finds it, without creating it."""
    from mlops_jupyter.workspace import FOLDER

    here = Path.cwd()
    return next((folder / FOLDER for folder in (here, *here.parents) if (folder / FOLDER).is_dir()), here / FOLDER)
