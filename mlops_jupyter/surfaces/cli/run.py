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
    """Run and print; exit code 1 if a step failed."""
    from mlops_jupyter.services.export.run.local_run import run
    from mlops_jupyter.workspace import Workspace

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # the run is stopped first
    store = args.store or Workspace.open().folder / "store"
    done = run(args.bundle, store, words(args), progress=lambda line: print(line, file=sys.stderr))
    if args.json:
        facts: dict[str, Any] = {"run": done.run, "status": done.status, "store": done.store, "steps": dict(done.steps)}
        facts |= {"runs": list(done.runs)} if done.runs else {}
        print(json.dumps({**facts, "outputs": list(done), "error": done.error, "seconds": done.seconds}, indent=1))
    elif done.runs:
        print(f"{done!r}\n{done.status}: all in {done.store}/{done.run}/each.json")
    else:
        print(f"{done.status}: run {done.run} in {done.seconds:.1f} s; values in {done.store}/{done.run}/outputs")
    return 0 if done.status == "succeeded" else 1
