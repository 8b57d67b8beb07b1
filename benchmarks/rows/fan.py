"""Measures a sweep of 1,000 values of a parameter, on this machine and on three nodes of a Ray cluster."""

from __future__ import annotations

from benchmarks.sides import ENGINES, Side
from benchmarks.table import Row

VALUES = 1000


def rows(rounds: int) -> list[Row]:
    """Return the figure of one round, which takes minutes: a step is a new process on Ray, and a forked one here."""
    seconds = {engine: Side("fan", (engine, str(VALUES)), ENGINES).measure()[0] for engine in ("ray", "local")}
    return [
        Row(f"--each with {VALUES:,} values on Ray, 3 nodes", seconds["ray"], "ours, local engine", seconds["local"])
    ]
