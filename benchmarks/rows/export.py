"""Exporting a notebook of 200 cells as a pipeline."""

from __future__ import annotations

from benchmarks.sides import PEERS, Side, in_turns, middle
from benchmarks.table import Row

CELLS = 200
BUDGET = 0.2  # 1 s for 1,000 cells, linear


def rows(rounds: int) -> list[Row]:
    """Ours, from what ran, beside soorgeon, which reads the notebook's text."""
    sides = {"ours": Side("export", ("ours", str(CELLS))), "soorgeon": Side("export", ("soorgeon", str(CELLS)), PEERS)}
    found = {label: middle(measured) for label, measured in in_turns(sides, rounds).items()}
    return [Row(f"export of {CELLS} cells", found["ours"], "soorgeon refactor", found["soorgeon"], BUDGET)]
