"""One module per figure; its `rows(rounds)` measures the figure. `FIGURES` maps their names to these."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.rows import capture, export, fan, load_ext, metrics, net, steps
from benchmarks.table import Row

FIGURES: dict[str, Callable[[int], list[Row]]] = {
    "load_ext": load_ext.rows,
    "capture": capture.rows,
    "metrics": metrics.rows,
    "export": export.rows,
    "steps": steps.rows,
    "fan": fan.rows,
    "net": net.rows,
}
