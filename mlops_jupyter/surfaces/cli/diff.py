"""`mlops-jupyter diff`: run a notebook under capture, then say how its bundle on disk differs from it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("diff", help="run a notebook and say what `export --update` would change in its bundle")
    verb.add_argument("notebook", type=Path, help="the .ipynb; it runs in its own folder and is not changed")
    verb.add_argument("bundle", type=Path, help="the folder that export wrote")
    verb.add_argument("--timeout", type=float, default=None, metavar="SECONDS", help="for one cell; default: none")
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Print the difference between notebook and bundle; return 0 if there is none, else 1."""
    from mlops_jupyter.services.export.bundle import diff, manifest
    from mlops_jupyter.surfaces.cli.headless import compare

    manifest.read(args.bundle)  # fails before the notebook runs for minutes
    difference = compare(args.notebook, args.bundle, args.timeout, say=lambda line: print(line, file=sys.stderr))
    print(json.dumps(difference, indent=1) if args.json else "\n".join(diff.said(difference)))
    return 0 if difference["same"] else 1
