"""The command line, `mlops-jupyter VERB`: each verb in a file of its own, calling the service that the magics call."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from mlops_jupyter import __version__
from mlops_jupyter.core.errors import UserError

FILES = (
    "export",
    "diff",
    "slice",
    "verify",
    "run",
    "runs",
    "models",
    "drift",
    "schedule",
    "scheduler",
    "targets",
    "ci",
    "gc",
    "doctor",
)
"""Modules of this folder; each has `add_to(subparsers)`, which declares its verb and the verb's `act`."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="mlops-jupyter", description="Notebooks as versioned, proven, scheduled pipelines."
    )
    top.add_argument("--version", action="version", version=__version__)
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in FILES:
        import_module(f"{__name__}.{name}").add_to(verbs)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code: the verb's own, 2 for a `UserError`, 130 after Ctrl-C."""
    args = parser().parse_args(argv)
    try:
        return int(args.act(args))
    except UserError as fault:
        print(f"mlops-jupyter: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the pipe is gone: no more output, not even the interpreter's own at exit
        return 0
