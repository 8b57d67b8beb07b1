"""`mlops-jupyter slice`: run a notebook under capture, then print the code that made one of its values."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("slice", help="run a notebook and print the smallest program that gives one of its values")
    verb.add_argument("notebook", type=Path, help="the .ipynb; it runs in its own folder and is not changed")
    verb.add_argument("name", help="a variable of the notebook")
    verb.add_argument("--timeout", type=float, default=None, metavar="SECONDS", help="for one cell; default: none")
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Print the slice as a program or as JSON; return 0."""
    from mlops_jupyter.surfaces.cli.headless import program

    sliced = program(args.notebook, args.name, args.timeout, say=lambda line: print(line, file=sys.stderr))
    print(json.dumps(sliced, indent=1) if args.json else sliced["text"], end="\n" if args.json else "")
    return 0
