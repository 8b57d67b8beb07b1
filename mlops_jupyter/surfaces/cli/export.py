"""`mlops-jupyter export`: run a notebook under capture, then write it as a bundle."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mlops_jupyter.core.units import count_of
from mlops_jupyter.services.export import options


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("export", help="run a notebook and write it as a pipeline")
    verb.add_argument("notebook", type=Path, help="the .ipynb; it runs in its own folder and is not changed")
    verb.add_argument(
        "--output",
        "-o",
        type=Path,
        required=True,
        help="the folder to write; a bundle that is there is written anew unless files of it were edited",
    )
    for flags, facts in options.OPTIONS.items():
        verb.add_argument(*flags, **facts)
    verb.add_argument("--timeout", type=float, default=None, metavar="SECONDS", help="for one cell; default: none")
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Export the notebook and print what was written; return 0."""
    from mlops_jupyter.services.export import targets
    from mlops_jupyter.services.export.bundle import manifest
    from mlops_jupyter.surfaces.cli.headless import export

    chosen = options.from_args(args)
    target_names = options.words(args.to)
    for name in target_names:
        targets.find(name)  # fails before the notebook runs for minutes
    options.to_request(chosen, args.notebook.stem)
    allow_errors = args.allow_errors or (args.update and manifest.read(args.output).request.allow_errors)
    name = args.name or ("" if args.update else args.notebook.stem)
    wish = {**chosen, "output": str(args.output.absolute()), "targets": target_names, "name": name}
    result = export(args.notebook, wish, args.timeout, lambda line: print(line, file=sys.stderr), allow_errors)
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        steps = result["steps"]
        print(f"{result['path']}: {count_of(len(steps), 'step')} ({', '.join(steps)}) in {result['seconds']:.1f} s")
        if args.update:
            print(f"  {result['changes']}")
        for note in result["notes"]:
            print(f"  note: {note}")
        print(f"  prove it: mlops-jupyter verify {result['path']}")
    return 0
