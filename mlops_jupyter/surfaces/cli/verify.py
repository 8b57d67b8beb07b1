"""`mlops-jupyter verify`: prove that a bundle gives the notebook's values."""

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
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Verify the bundle and print the verdicts; return 0 if it is proven (identical or close), else 1."""
    from mlops_jupyter.services.export.run.verify import verify

    proof = verify(args.bundle, args.fresh_env, progress=lambda line: print(line, file=sys.stderr))
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
