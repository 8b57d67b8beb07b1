"""`mlops-jupyter targets`: what a bundle can be exported for."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("targets", help="list what a bundle can be exported for, and what each can express")
    verb.add_argument("--json", action="store_true", help="one JSON array on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """List them."""
    from mlops_jupyter.services.export import targets

    found = [targets.find(name) for name in targets.names()]
    rows = [{"name": t.name, "title": t.title, "expresses": sorted(f.value for f in t.expresses)} for t in found]
    if args.json:
        print(json.dumps(rows, indent=1))
    for row in rows if not args.json else ():
        print(f"{row['name']:10}  {row['title']}: {', '.join(row['expresses'])}")
    return 0
