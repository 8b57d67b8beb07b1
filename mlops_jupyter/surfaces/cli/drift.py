"""`mlops-jupyter drift REFERENCE CURRENT`: exit code 0 stable, 1 drifted, 2 a fault of the input."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_jupyter.core.errors import UserError

if TYPE_CHECKING:
    from mlops_jupyter.runtime.drift import DriftReport

Parsers = Any  # what argparse's add_subparsers() returns; its type is private

ABOUT = """Compare a csv or parquet file with a reference (or with the profile of one, json), column by column.
A column has drifted when the difference is both significant and large enough to matter.
Exit code: 0 stable, 1 drifted, 2 the files cannot be compared."""


def add_to(subparsers: Parsers) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "drift", help="compare data with its reference: what has drifted?", description=ABOUT
    )
    parser.add_argument("reference", metavar="REFERENCE", help="csv, parquet, or a profile (json)")
    parser.add_argument("current", metavar="CURRENT", help="csv or parquet")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--columns", metavar="a,b", help="compare only these (default: all of the reference's)")
    parser.add_argument("--alpha", type=float, default=0.05, help="allowed chance of a false alarm (default: 0.05)")
    parser.add_argument("--share", type=float, default=0.5, help="share of columns that must drift (default: 0.5)")
    parser.add_argument("--threshold", type=float, default=0.1, help="least effect that matters (default: 0.1)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page with table and plots")
    parser.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Compare the files, print the report and return the exit code."""
    from mlops_jupyter.runtime.drift import DriftVerdict, untested

    report = _checked(args)
    print(json.dumps(report.as_dict(), ensure_ascii=False) if args.json else report)
    if args.html:
        _write(args.html, report, f"Drift: {Path(args.reference).name} → {Path(args.current).name}")
    if report.verdict is DriftVerdict.UNTESTED:
        raise UserError(untested(report))
    return 1 if report.verdict is DriftVerdict.DRIFTED else 0


def _checked(args: argparse.Namespace) -> DriftReport:
    from mlops_jupyter.services.drift.reading import read
    from mlops_jupyter.workspace import Workspace

    columns = [name.strip() for name in args.columns.split(",") if name.strip()] if args.columns else None
    reference, current = read(args.reference), read(args.current)
    workspace = Workspace.open()
    try:
        return workspace.drift.check(
            reference,
            current,
            subject=f"{args.reference} vs {args.current}",
            columns=columns,
            alpha=args.alpha,
            share=args.share,
            threshold=args.threshold,
        )
    finally:
        workspace.close()


def _write(file: Path, report: DriftReport, title: str) -> None:
    from mlops_jupyter.services.drift.html import page

    try:
        file.write_text(page(report, title), encoding="utf-8")
    except OSError as fault:
        raise UserError(f"cannot write {str(file)!r}: {fault.strerror}; choose another file for --html") from fault
