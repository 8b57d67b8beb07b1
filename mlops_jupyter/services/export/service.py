"""Export's verbs: a recording becomes a bundle on disk, or is compared with the one that is there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlops_jupyter.core.plan import Plan
from mlops_jupyter.core.units import count_of
from mlops_jupyter.services.export import secrets, targets
from mlops_jupyter.services.export.bundle import diff, manifest, stable_values, transaction
from mlops_jupyter.services.export.bundle import update as updates
from mlops_jupyter.services.export.bundle.create import BundleFiles
from mlops_jupyter.services.export.bundle.diff import Difference
from mlops_jupyter.services.export.bundle.update import BundleChanges
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.pipeline.planner import PlanRequest, plan
from mlops_jupyter.services.pipeline.ports import Magics, Recording
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True, repr=False)
class Exported:
    """What an export wrote: where, which plan, what a target could not express, and how long it took.

    Attributes
    ----------
    changes : of an update: which files were changed, and which keep a person's edits.
    """

    path: Path
    plan: Plan
    targets: tuple[str, ...]
    lost: tuple[str, ...]
    seconds: float
    changes: BundleChanges | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """All that a person should know of it."""
        of_steps = (f"{step.name}: {note}" for step in self.plan.steps for note in step.notes)
        return (*self.plan.notes, *of_steps, *self.lost)

    def __repr__(self) -> str:
        steps = ", ".join(step.name for step in self.plan.steps)
        head = f"{self.path}: {count_of(len(self.plan.steps), 'step')} ({steps}) for {', '.join(self.targets)}"
        changed = [f"  {self.changes}"] if self.changes is not None else []
        return "\n".join([head, *changed, *(f"  note: {note}" for note in self.notes)])


def export(
    recording: Recording,
    request: PlanRequest,
    magics: Magics,
    output: Path,
    to: Sequence[str],
    ledger: Ledger,
    update: bool = False,
) -> Exported:
    """Make the plan, render it for every target, write it whole, and note that it was done.

    Parameters
    ----------
    update : change only what differs in the bundle that is there, and keep what a person marked. What is not asked for
        stays as it was asked for then; a request of no name takes that bundle's.

    Raises
    ------
    UserError
        An unknown target (before anything else), whatever the plan refuses, a place that cannot be written, or one
        where a person's work would be lost. Nothing is left half-written.
    """
    began = time.perf_counter()
    if update:
        transaction.recover(output)
        request, to = manifest.read(output).over(request, to)
    made, files, lost = _made(recording, request, magics, to)
    changes = None
    if update:
        changes = updates.write(files, made, request, to, output)
    else:
        updates.anew(files, request, to, output)
    ledger.audit("export", made.name, {"path": str(output), "targets": list(to), "steps": len(made.steps)})
    return Exported(output, made, tuple(to), lost, time.perf_counter() - began, changes)


def compare(recording: Recording, magics: Magics, folder: Path) -> Difference:
    """Say what an update would change in a bundle: asked as that was exported, and with nothing written.

    Raises
    ------
    UserError
        There is no such bundle, or the notebook cannot be exported.
    """
    transaction.recover(folder)
    known = manifest.read(folder)
    made, files, _ = _made(recording, known.request, magics, known.targets)
    files = stable_values.keep_recorded(files, made, known, folder)
    return diff.between(folder, files, made, updates.changes(files, known, folder))


def _made(
    recording: Recording, request: PlanRequest, magics: Magics, to: Sequence[str]
) -> tuple[Plan, BundleFiles, tuple[str, ...]]:
    """Return the plan, its files, and what the targets have no word for."""
    chosen = [targets.find(name) for name in to]
    made = plan(recording, request, magics)
    made = replace(made, notes=(*made.notes, *secrets.check(made)))
    lost = tuple(f"target {t.name!r} has no word for {line}" for t in chosen for line in targets.lost(made, t))
    return made, render(made, chosen), lost
