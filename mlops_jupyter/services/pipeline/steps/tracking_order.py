"""The order of tracking: if one step opens a run and others log into it, the steps that track keep their order.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlops_jupyter.core.plan import PlanStep
from mlops_jupyter.services.pipeline.steps.cell_code import CellCode, CellCodes

OPENS, ENDS = "tracking:start_run", "tracking:end_run"
TRACKS = ("tracking:", "tracking.gates:")


def tracking_order(parts: CellCodes, steps: Sequence[PlanStep]) -> list[PlanStep]:
    """Let each step that tracks wait for the tracking step before it, if a run stays open from one step to another.

    An open run is no value of the dataflow: the steps that tracked before decide into which run a step logs.
    """
    if not any(_left_open(parts[member] for member in step.executions) for step in steps):
        return list(steps)
    ordered: list[PlanStep] = []
    before: tuple[str, ...] = ()
    for step in steps:
        if any(_tracks(parts, member) for member in step.executions):
            ordered.append(replace(step, after=tuple(dict.fromkeys((*step.after, *before)))))
            before = (step.name,)
        else:
            ordered.append(step)
    return ordered


def _left_open(members: Iterable[CellCode]) -> bool:
    is_open = False
    for part in members:
        if not {OPENS, ENDS}.isdisjoint(part.translation.runtime):
            is_open = part.translation.text.rfind("start_run(") > part.translation.text.rfind("end_run(")
    return is_open


def _tracks(parts: CellCodes, member: int) -> bool:
    """Say whether an execution logs: with a magic of ours, or with the object that `run = %track start` gave."""
    if any(use.startswith(TRACKS) for use in parts[member].translation.runtime):
        return True
    makers = {need.maker for need in parts.reads(member) if need.maker in parts}
    return any(OPENS in parts[maker].translation.runtime for maker in makers)
