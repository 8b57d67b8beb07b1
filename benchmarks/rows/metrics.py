"""Measures logging one metric so that it outlives the death of the process."""

from __future__ import annotations

from benchmarks.sides import Side, in_turns, middle
from benchmarks.table import Row

BUDGET = 50e-6


def rows(rounds: int) -> list[Row]:
    """Return ours beside `mlflow.log_metric` into MLflow's SQLite store."""
    sides = {"ours": Side("metrics", ("ours", "5000")), "mlflow": Side("metrics", ("mlflow", "200"))}
    medians = {label: middle(measured) for label, measured in in_turns(sides, rounds).items()}
    return [Row("metric, durable", medians["ours"], "mlflow.log_metric, sqlite", medians["mlflow"], BUDGET)]
