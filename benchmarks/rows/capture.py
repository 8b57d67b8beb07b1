"""Measures what capture adds to a cell, compared with a plain IPython shell of the same environment."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.sides import PEERS, Side, high, in_turns, middle
from benchmarks.table import Row


@dataclass(frozen=True)
class Kind:
    """A kind of cell, and what capture may add to one, in seconds: at the median, and maybe at the 99th percentile."""

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
    """Return our figure beside those of ipyflow and exptrack for each kind of cell."""
    return [row for kind in KINDS for row in _rows(kind, rounds)]


def _rows(kind: Kind, rounds: int) -> list[Row]:
    sides = {
        "plain": Side("cells", ("plain", kind.name)),
        "ours": Side("cells", ("mlops_jupyter", kind.name)),
        "plain there": Side("cells", ("plain", kind.name), PEERS),
        **{peer: Side("cells", (peer, kind.name), PEERS) for peer in OTHERS},
    }
    results = in_turns(sides, rounds)
    figures = []
    for statistic, title, budget in ((middle, kind.title, kind.budget), (high, f"{kind.title}, p99", kind.budget_high)):
        if budget is not None:
            ours = statistic(results["ours"]) - statistic(results["plain"])
            figures += [
                Row(title, ours, peer, statistic(results[peer]) - statistic(results["plain there"]), budget)
                for peer in OTHERS
            ]
    return figures
