"""Measures what `%load_ext mlops_jupyter` adds to a bare IPython shell."""

from __future__ import annotations

from benchmarks.sides import Side, in_turns, middle
from benchmarks.table import Row

BUDGET = 0.150


def rows(rounds: int) -> list[Row]:
    """Return ours beside `import mlflow`, which MLflow's users wait for, and beside IPython's own start."""
    sides = {side: Side("load", (side,)) for side in ("mlops_jupyter", "mlflow", "ipython")}
    medians = {label: middle(measured) for label, measured in in_turns(sides, rounds).items()}
    ours = medians["mlops_jupyter"]
    return [
        Row("%load_ext", ours, "import mlflow", medians["mlflow"], BUDGET),
        Row("%load_ext", ours, "start of IPython's shell", medians["ipython"], BUDGET),
    ]
