"""The verbs of export: write a recording as a bundle to disk, or compare it with the bundle that is there."""

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
from mlops_jupyter.services.pipeline.secret_sources import read_secrets
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True, repr=False)
class Exported:
    """What an export wrote: where, which plan, what a target could not express, and how long it took.

    Attributes
    ----------
    path : the bundle's folder.
    lost : what the plan asks for and a target cannot express, a line for each.
    seconds : wall time of the export.
    changes : for an update, which files were changed, and which keep a person's edits; else None.
    """

    path: Path
    plan: Plan
    targets: tuple[str, ...]
    lost: tuple[str, ...]
    seconds: float
    changes: BundleChanges | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the plan and of its steps, and what the targets cannot express."""
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
    """Plan a recording, render the plan for every target, write the bundle whole, and log the export in the ledger.

    Parameters
    ----------
    output : the bundle's folder.
    to : names of the targets.
    update : change only what differs in the bundle that is there, and keep the regions that a person marked. Options
        that are not given are as in the last export; a request without a name takes that bundle's.

    Raises
    ------
    UserError
        A target is unknown (before anything is planned), the planner refuses, the folder cannot be written, or a
        person's edits there would be lost. Nothing is left half-written.
    """
    began = time.perf_counter()
    if update:
        transaction.recover(output)
        request, to = manifest.read(output).over(request, to)
    planned, files, lost = _made(recording, request, magics, to)
    changes = None
    if update:
        changes = updates.write(files, planned, request, to, output)
    else:
        updates.anew(files, request, to, output)
    ledger.audit("export", planned.name, {"path": str(output), "targets": list(to), "steps": len(planned.steps)})
    return Exported(output, planned, tuple(to), lost, time.perf_counter() - began, changes)


def compare(recording: Recording, magics: Magics, folder: Path) -> Difference:
    """Return what an update with the options of the last export would change in a bundle. No change is written.

    Raises
    ------
    UserError
        There is no bundle in the folder, or the notebook cannot be exported.
    """
    transaction.recover(folder)
    known = manifest.read(folder)
    planned, files, _ = _made(recording, known.request, magics, known.targets)
    files = stable_values.keep_recorded(files, planned, known, folder)
    return diff.between(folder, files, planned, updates.changes(files, known, folder))


def _made(
    recording: Recording, request: PlanRequest, magics: Magics, to: Sequence[str]
) -> tuple[Plan, BundleFiles, tuple[str, ...]]:
    """Return the plan, the files of its bundle, and what of the plan the targets cannot express."""
    chosen = [targets.find(name) for name in to]
    planned = plan(recording, request, magics)
    notes = (*secrets.check(planned), *secrets.unsearchable(n for n in planned.secrets if n != planned.alert))
    planned = replace(planned, notes=(*planned.notes, *notes))
    lost = tuple(f"target {t.name!r} has no word for {line}" for t in chosen for line in targets.lost(planned, t))
    files = render(planned, chosen)
    secrets.check_files(files, read_secrets(recording, planned.secrets))
    return planned, files, lost
