"""`mlops-jupyter verify`: prove that a bundle gives the notebook's values, on the day of export and on other days."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mlops_jupyter.core.units import count_of


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("verify", help="run a bundle in a clean process and compare its values with the notebook's")
    verb.add_argument("bundle", type=Path, help="the folder that export wrote")
    verb.add_argument("--fresh-env", action="store_true", help="build an environment from requirements.lock first")
    verb.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE",
        help="compare with the notebook's cells, run in one process with this parameter; may be repeated",
    )  # fmt: skip
    verb.add_argument("--data", type=Path, metavar="DIR", help="the same with data files from this folder")
    verb.add_argument(
        "--perturb", type=int, metavar="N", help="the same on N other days: their data and parameters are made up"
    )
    verb.add_argument("--seed", type=int, help="of those days (0): the same seed makes the same")
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Verify the bundle and print the verdicts; return 0 if it is proven, else 1."""
    from mlops_jupyter.services.export.run import verify

    verify.check_options(args.parameter, args.data, args.perturb, args.seed)
    if args.perturb is not None:
        return _perturb(args)
    if args.parameter or args.data:
        proof = verify.verify_day(args.bundle, args.parameter, args.data, args.fresh_env, _say)
    else:
        proof = verify.verify(args.bundle, args.fresh_env, _say)
    if args.json:
        print(json.dumps(proof.as_json(), indent=1))
    else:
        for row in proof.outputs:
            print(f"{row.status:9}  {row.name}" + (f": {row.why}" if row.why else ""))
        print(
            f"{proof.status}: {count_of(proof.steps, 'step')} in {proof.seconds:.1f} s"
            + (f"; {proof.reason}" if proof.reason else "")
        )
    return 0 if proof.proven else 1


def _perturb(args: argparse.Namespace) -> int:
    from mlops_jupyter.services.export.differential.perturb import perturb

    told = _say if args.json else print
    report = perturb(args.bundle, args.perturb, args.seed or 0, args.fresh_env, told=told)
    if args.json:
        print(json.dumps(report.as_json(), indent=1))
    else:
        if report.left:
            print(f"not changed: {', '.join(report.left)}")
        print(report)
    return 0 if report.proven else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr)
