"""What a store already holds of a pipeline's steps."""

from __future__ import annotations

import json
from pathlib import Path

from mlops_jupyter.analysis.graph import build
from mlops_jupyter.core.plan import HIDDEN, Step
from mlops_jupyter.services.pipeline.planner import Request, plan
from mlops_jupyter.services.pipeline.ports import Magics, Recording
from mlops_jupyter.services.pipeline.view import Reruns, State, StepView


def with_cache(recording: Recording, request: Request, magics: Magics, store: Path) -> list[StepView]:
    """Return the steps that an export made now would have, each with where it stands."""
    made = plan(recording, request, magics)
    kept = _kept_versions(store)
    reruns = Reruns(build(recording.history))
    return [_view(step, reruns, kept) for step in made.steps]


def _view(step: Step, reruns: Reruns, kept: set[tuple[str, str]]) -> StepView:
    state = State.CACHED if (step.name, step.version) in kept else State.FRESH
    if reruns.outdate(step.executions):
        state = State.STALE
    return StepView(
        name=step.name,
        version=step.version[:12],
        state=state,
        inputs=step.visible_inputs,
        outputs=tuple(n for g in step.outputs for n in g if not n.startswith(HIDDEN)),
    )


def _kept_versions(store: Path) -> set[tuple[str, str]]:
    found = set()
    for path in store.glob("*/steps/*.json"):
        try:
            record = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if record.get("status") in ("done", "cached"):
            found.add((str(record.get("step")), str(record.get("version"))))
    return found
