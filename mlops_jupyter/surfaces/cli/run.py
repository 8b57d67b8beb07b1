"""`mlops-jupyter run`: run a bundle, here or on a cluster, cached by content."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from mlops_jupyter.runtime.options import OPTIONS, words


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "run", help="run a bundle, here or on a cluster: independent steps at once, cached by content"
    )
    verb.add_argument("bundle", type=Path, help="the folder that export wrote")
    for flags, facts in OPTIONS.items():
        verb.add_argument(*flags, **facts)
    verb.add_argument(
        "--store", help="where runs and the cache lie, a folder or an fsspec address; default: .mlops/store"
    )
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Run the bundle and print the outcome; return 0 if it succeeded, else 1."""
    from mlops_jupyter.services.export.run.local_run import run
    from mlops_jupyter.workspace import Workspace

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # an exception stops the run first
    store = args.store or Workspace.open().folder / "store"
    result = run(args.bundle, store, words(args), progress=lambda line: print(line, file=sys.stderr))
    folder = f"{result.store}/{result.run}"
    if args.json:
        facts: dict[str, Any] = {"run": result.run, "status": result.status, "store": result.store}
        facts |= {"steps": dict(result.steps)} | ({"runs": list(result.runs)} if result.runs else {})
        facts |= {"outputs": list(result), "error": result.error, "seconds": result.seconds}
        print(json.dumps(facts, indent=1))
    elif result.runs:
        print(f"{result!r}\n{result.status}: all in {folder}/each.json")
    else:
        print(f"{result.status}: run {result.run} in {result.seconds:.1f} s; values in {folder}/outputs")
    return 0 if result.status == "succeeded" else 1
