"""`mlops-jupyter targets`: what a bundle can be exported for."""

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
    """List them."""
    from mlops_jupyter.surfaces.target_list import rows, text

    found = rows()
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        print(text(found, shutil.get_terminal_size((120, 24)).columns))
    return 0
