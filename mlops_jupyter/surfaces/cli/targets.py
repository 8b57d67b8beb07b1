"""`mlops-jupyter targets`: list the export targets."""

from __future__ import annotations

import argparse
import json
import shutil
from typing import Any


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("targets", help="list what a bundle can be exported for, and what each can express")
    verb.add_argument("--json", action="store_true", help="one JSON array on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Print the export targets; return 0."""
    from mlops_jupyter.surfaces.target_list import rows, text

    targets = rows()
    if args.json:
        print(json.dumps(targets, indent=1))
    else:
        print(text(targets, shutil.get_terminal_size((120, 24)).columns))
    return 0
