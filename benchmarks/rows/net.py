"""Measures what it costs to check that each step leaves alone what later steps take."""

from __future__ import annotations

from benchmarks.sides import Side, in_turns, middle
from benchmarks.table import Row


def rows(rounds: int) -> list[Row]:
    """Return a run with the check beside the same run without."""
    sides = {side: Side("net", (side,)) for side in ("with", "without")}
    medians = {label: middle(measured) for label, measured in in_turns(sides, rounds).items()}
    return [Row("a run of 4 steps over 80 MB, checked", medians["with"], "the same run, unchecked", medians["without"])]
