"""`mlops-jupyter export`: run a notebook under capture, then write it as a bundle."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import UserError


def add_to(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("export", help="run a notebook and write it as a pipeline")
    verb.add_argument("notebook", type=Path, help="the .ipynb; it runs in its own folder and is not changed")
    verb.add_argument("--to", default="python", help="targets, separated by commas (see `mlops-jupyter targets`)")
    verb.add_argument("--output", "-o", type=Path, required=True, help="the folder to write")
    verb.add_argument("--outputs", default=None, help="variables to deliver, separated by commas")
    verb.add_argument("--name", default=None, help="the pipeline's name; default: the notebook's")
    verb.add_argument("--schedule", default=None, metavar="CRON", help="when to run, as crontab(5) has it")
    verb.add_argument("--timezone", default="UTC", help="the time zone of the schedule")
    verb.add_argument("--allow-ipython", action="store_true", help="keep magics that only IPython knows")
    verb.add_argument("--timeout", type=float, default=None, metavar="SECONDS", help="for one cell; default: none")
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verb.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Export, and say what was written."""
    from mlops_jupyter.services.export import targets
    from mlops_jupyter.surfaces.cli.headless import Wish, export

    for name in words(args.to):
        targets.find(name)  # before minutes of running the notebook
    if args.schedule:
        from mlops_jupyter.services.schedule.clock import check, zone

        check(args.schedule)
        zone(args.timezone)
    wish = Wish(
        output=str(args.output.absolute()),
        targets=words(args.to),
        outputs=words(args.outputs) if args.outputs else None,
        name=args.name or args.notebook.stem,
        schedule=args.schedule,
        timezone=args.timezone,
        allow_ipython=args.allow_ipython,
    )
    answer = export(args.notebook, wish, args.timeout, say=lambda line: print(line, file=sys.stderr))
    if args.json:
        print(json.dumps(answer, indent=1))
    else:
        steps = answer["steps"]
        print(f"{answer['path']}: {len(steps)} steps ({', '.join(steps)}) in {answer['seconds']:.1f} s")
        for note in answer["notes"]:
            print(f"  note: {note}")
        print(f"  prove it: mlops-jupyter verify {answer['path']}")
    return 0


def words(text: str) -> list[str]:
    """Split "a,b" into its words; none is a fault."""
    found = [w.strip() for w in text.split(",") if w.strip()]
    if not found:
        raise UserError(f"{text!r} names nothing: write names separated by commas")
    return found
