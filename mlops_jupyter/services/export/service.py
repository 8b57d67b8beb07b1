"""Export's verbs: a recording becomes a bundle on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlops_jupyter.core.plan import Plan
from mlops_jupyter.services.export import bundle, secrets, targets
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.pipeline.planner import Request, plan
from mlops_jupyter.services.pipeline.ports import Magics, Recording
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True, repr=False)
class Exported:
    """What an export wrote: where, which plan, what a target could not express, and how long it took."""

    path: Path
    plan: Plan
    targets: tuple[str, ...]
    lost: tuple[str, ...]
    seconds: float

    @property
    def notes(self) -> tuple[str, ...]:
        """All that a person should know of it."""
        of_steps = (f"{step.name}: {note}" for step in self.plan.steps for note in step.notes)
        return (*self.plan.notes, *of_steps, *self.lost)

    def __repr__(self) -> str:
        steps = ", ".join(step.name for step in self.plan.steps)
        head = f"{self.path}: {len(self.plan.steps)} steps ({steps}) for {', '.join(self.targets)}"
        return "\n".join([head, *(f"  note: {note}" for note in self.notes)])


def export(
    recording: Recording, request: Request, magics: Magics, output: Path, to: Sequence[str], ledger: Ledger
) -> Exported:
    """Make the plan, render it for every target, write it whole, and note that it was done.

    Raises
    ------
    UserError
        An unknown target (before anything else), whatever the plan refuses, or a place
        that cannot be written. Nothing is left half-written.
    """
    began = time.perf_counter()
    chosen = [targets.find(name) for name in to]
    made = plan(recording, request, magics)
    made = replace(made, notes=(*made.notes, *secrets.check(made)))
    lost = tuple(f"target {t.name!r} has no word for {line}" for t in chosen for line in targets.lost(made, t))
    bundle.write(render(made, chosen), output)
    ledger.audit("export", made.name, {"path": str(output), "targets": list(to), "steps": len(made.steps)})
    return Exported(output, made, tuple(to), lost, time.perf_counter() - began)
