"""One pipeline run for 1,000 values of a parameter, on this machine and on three nodes of a Ray cluster."""

from __future__ import annotations

from benchmarks.sides import ENGINES, Side
from benchmarks.table import Row

VALUES = 1000


def rows(rounds: int) -> list[Row]:
    """Measured once, for it takes minutes: on a cluster each step is a process that starts anew, here one is forked."""
    found = {engine: Side("fan", (engine, str(VALUES)), ENGINES).measure()[0] for engine in ("ray", "local")}
    return [Row(f"--each with {VALUES:,} values on Ray, 3 nodes", found["ray"], "ours, local engine", found["local"])]
