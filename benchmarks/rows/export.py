"""Exporting a notebook as a pipeline: beside a peer, of the length that the budget is for, and to all targets."""

from __future__ import annotations

from benchmarks.sides import PEERS, Side, in_turns, middle
from benchmarks.table import Row
from mlops_jupyter.services.export import targets

FEW = 200
"""soorgeon takes minutes for 1,000."""

CELLS = 1000
BUDGET = 1.0
BUDGET_ALL = 3.0


def rows(rounds: int) -> list[Row]:
    """Ours, from what ran, beside soorgeon, which reads the notebook's text; then beside itself: it is to be linear."""
    sides = {f"{count}": Side("export", ("ours", str(count))) for count in (FEW, CELLS, 2 * CELLS)}
    everywhere = ",".join(targets.names())
    sides["everywhere"] = Side("export", ("ours", f"{FEW}", everywhere))
    sides["soorgeon"] = Side("export", ("soorgeon", str(FEW)), PEERS)
    found = {label: middle(measured) for label, measured in in_turns(sides, rounds).items()}
    half = found[f"{2 * CELLS}"] / 2
    return [
        Row(f"export of {FEW} cells", found[f"{FEW}"], "soorgeon refactor", found["soorgeon"]),
        Row(f"export of {CELLS:,} cells", found[f"{CELLS}"], f"ours, half of {2 * CELLS:,}", half, BUDGET),
        Row(
            f"export to {len(targets.names())} targets",
            found["everywhere"],
            "ours, one target",
            found[f"{FEW}"],
            BUDGET_ALL,
        ),
    ]
