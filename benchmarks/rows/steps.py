"""Measures the runtime's overhead: of a step, of an unchanged pipeline, of very many steps."""

from __future__ import annotations

from benchmarks.sides import ENGINES, PEERS, Side, in_turns, middle
from benchmarks.table import Row

STEPS = 20
MANY = 1000


def rows(rounds: int) -> list[Row]:
    """Return ours beside peers that run the same steps. Very many steps are run in one round only: it takes minutes."""
    sides = {
        "unchanged": Side("unchanged", ("ours", f"{STEPS}")),
        "dvc repro": Side("unchanged", ("dvc", f"{STEPS}"), ENGINES),
        "ploomber build": Side("unchanged", ("ploomber", f"{STEPS}"), PEERS),
        "steps": Side("steps", ("local", f"{STEPS}")),
        "papermill": Side("steps", ("papermill", "3"), PEERS),
    }
    medians = {label: middle(measured) for label, measured in in_turns(sides, rounds).items()}
    many = {side: Side("steps", (side, f"{MANY}"), ENGINES).measure()[0] for side in ("local", "make", "ray", "dask")}
    unchanged, title = medians["unchanged"], f"unchanged pipeline of {STEPS} steps"
    return [
        *(Row(title, unchanged, peer, medians[peer], 0.3) for peer in ("dvc repro", "ploomber build")),
        Row("a step's overhead, local engine", medians["steps"] / STEPS, "papermill", medians["papermill"] / 3, 0.05),
        Row(f"{MANY:,} steps without work", many["local"], "make -j2, bare Pythons", many["make"]),
        *(
            Row(f"{MANY:,} steps without work, {engine.title()}", many[engine], "ours, local engine", many["local"])
            for engine in ("ray", "dask")
        ),
    ]
