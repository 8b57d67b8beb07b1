"""Measures the export of a notebook: beside a peer, at the length that the budget is for, and to all targets."""

from __future__ import annotations

from benchmarks.sides import PEERS, Side, in_turns, middle
from benchmarks.table import Row
from mlops_jupyter.services.export import targets

FEW = 200
"""Cells of the notebook that soorgeon exports, too: it takes minutes for 1,000."""

CELLS = 1000
BUDGET = 1.0
BUDGET_ALL = 3.0


def rows(rounds: int) -> list[Row]:
    """Return our export beside soorgeon's, and beside our own of twice the length, for it must be linear."""
    sides = {f"{count}": Side("export", ("ours", str(count))) for count in (FEW, CELLS, 2 * CELLS)}
    everywhere = ",".join(targets.names())
    sides["everywhere"] = Side("export", ("ours", f"{FEW}", everywhere))
    sides["soorgeon"] = Side("export", ("soorgeon", str(FEW)), PEERS)
    medians = {label: middle(measured) for label, measured in in_turns(sides, rounds).items()}
    half = medians[f"{2 * CELLS}"] / 2
    return [
        Row(f"export of {FEW} cells", medians[f"{FEW}"], "soorgeon refactor", medians["soorgeon"]),
        Row(f"export of {CELLS:,} cells", medians[f"{CELLS}"], f"ours, half of {2 * CELLS:,}", half, BUDGET),
        Row(
            f"export to {len(targets.names())} targets",
            medians["everywhere"],
            "ours, one target",
            medians[f"{FEW}"],
            BUDGET_ALL,
        ),
    ]
