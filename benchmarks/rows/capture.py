"""What recording adds to a cell, over the same cells in a plain IPython shell of the same environment."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.sides import PEERS, Side, high, in_turns, middle
from benchmarks.table import Row


@dataclass(frozen=True)
class Kind:
    """Cells of one kind, and what ours may add to one, in seconds: at the median, and maybe at the 99th percentile."""

    name: str
    title: str
    budget: float
    budget_high: float | None = None


KINDS = (
    Kind("ordinary", "capture, ordinary cell", 0.001, 0.010),
    Kind("beside", "capture, 80 MB frame in scope", 0.005),
    Kind("inplace", "capture, 80 MB frame changed in place", 0.015),
    Kind("loops", "capture, cell of tight Python loops", 0.001),
)

OTHERS = ("ipyflow", "exptrack")


def rows(rounds: int) -> list[Row]:
    """Ours beside ipyflow and exptrack for each kind of cell."""
    return [row for kind in KINDS for row in _rows(kind, rounds)]


def _rows(kind: Kind, rounds: int) -> list[Row]:
    sides = {
        "plain": Side("cells", ("plain", kind.name)),
        "ours": Side("cells", ("mlops_jupyter", kind.name)),
        "plain there": Side("cells", ("plain", kind.name), PEERS),
        **{peer: Side("cells", (peer, kind.name), PEERS) for peer in OTHERS},
    }
    found = in_turns(sides, rounds)
    made = []
    for of, title, budget in ((middle, kind.title, kind.budget), (high, f"{kind.title}, p99", kind.budget_high)):
        if budget is not None:
            ours = of(found["ours"]) - of(found["plain"])
            made += [Row(title, ours, peer, of(found[peer]) - of(found["plain there"]), budget) for peer in OTHERS]
    return made
