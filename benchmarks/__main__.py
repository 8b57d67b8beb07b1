"""Print the table: `python -m benchmarks [--rounds N] [ROW ...]`."""

from __future__ import annotations

import argparse
import sys

from benchmarks.rows import FIGURES
from benchmarks.sides import CannotMeasure
from benchmarks.table import Row, table


def main() -> int:
    """Measure and print the chosen figures; return 1 if one cannot be measured, which stderr names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("row", nargs="*", help=f"of {', '.join(FIGURES)}; all without one")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is measured (default %(default)s)")
    args = parser.parse_args()
    if unknown := set(args.row) - set(FIGURES):
        parser.error(f"no figure {', '.join(sorted(unknown))}: choose from {', '.join(FIGURES)}")
    rows: list[Row] = []
    failed = False
    for name in args.row or FIGURES:
        print(f"measuring {name} ...", file=sys.stderr)
        try:
            rows += FIGURES[name](args.rounds)
        except CannotMeasure as fault:
            failed = True
            print(f"{name}: {fault}", file=sys.stderr)
    if rows:
        print(table(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
