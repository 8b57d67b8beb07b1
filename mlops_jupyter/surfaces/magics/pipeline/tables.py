"""Tables of steps, versions, proofs and targets: HTML where the front end shows it, aligned text elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mlops_jupyter.core.units import count_of
from mlops_jupyter.runtime.tables import aligned, html
from mlops_jupyter.services.export.differential.perturb import PerturbationReport
from mlops_jupyter.services.export.run.verify import Proof
from mlops_jupyter.services.pipeline.query.step_states import StepView
from mlops_jupyter.services.pipeline.query.value_history import Version
from mlops_jupyter.surfaces.target_list import text

SIGNS = {
    "live": "●", "fresh": "●", "stale": "◐", "cached": "◆", "failed": "✕",
    "identical": "●", "close": "◐", "differs": "✕",
}  # fmt: skip
"""State or verdict -> its sign, shown before the word: a state is never told by colour alone."""


class Table:
    """Rows of text under a heading, for the notebook and for the terminal."""

    def __init__(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.title, self.columns, self.rows = title, columns, rows

    def __repr__(self) -> str:
        return f"{self.title}\n{aligned([self.columns, *self.rows])}"

    def _repr_html_(self) -> str:
        return f"<div><b>{escape(self.title)}</b>{html(self.columns, self.rows)}</div>"


class StepTable(Table):
    """The steps of a pipeline; `steps` holds them as data."""

    def __init__(self, steps: Sequence[StepView]) -> None:
        self.steps = tuple(steps)
        rows: list[tuple[str, ...]] = [
            (
                s.name,
                f"{SIGNS[s.state.value]} {s.state.value}",
                s.version,
                ", ".join(s.inputs) or "–",
                ", ".join(s.outputs) or "–",
                "; ".join(s.volatile) or "–",
            )
            for s in steps
        ]
        columns = ["step", "state", "version", "takes", "gives", "runs each time, as it"]
        if not any(s.volatile for s in steps):
            columns = columns[:-1]
            rows = [row[:-1] for row in rows]
        super().__init__(f"Pipeline of {count_of(len(rows), 'step')}", columns, rows)


class VersionTable(Table):
    """The versions of a name, oldest first; `versions` holds them as data."""

    def __init__(self, name: str, versions: Sequence[Version]) -> None:
        self.versions = tuple(versions)
        rows = [
            (
                f"In [{v.count}]" if v.count else str(v.position + 1),
                time.strftime("%H:%M:%S", time.localtime(v.started)),
                f"{SIGNS['live']} live" if v.live else "–",
                v.cell or "–",
                v.how.value,
                v.fingerprint[:8] or "–",
                ", ".join(v.sources) or "–",
            )
            for v in versions
        ]
        columns = ("execution", "at", "now", "cell", "how", "value", "from")
        super().__init__(f"{name}: {len(rows)} version{'s' if len(rows) != 1 else ''}", columns, rows)


class ProofTable(Table):
    """The outputs of a verified bundle with their verdicts; `proof` holds them as data."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        rows = [(o.name, f"{SIGNS.get(o.status, '✕')} {o.status}", o.expected, o.actual, o.why) for o in proof.outputs]
        title = f"{proof.status}: {count_of(proof.steps, 'step')} in {proof.seconds:.1f} s" + (
            f"; {proof.reason}" if proof.reason else ""
        )
        super().__init__(title, ("output", "verdict", "notebook", "pipeline", "why"), rows)


class PerturbationTable(Table):
    """The other days on which a bundle was compared with its notebook; `report` holds them as data."""

    def __init__(self, report: PerturbationReport) -> None:
        self.report = report
        rows = [
            (
                str(day.number) if day.number else "of export",
                f"{'●' if day.agrees else '✕'} {day.status}",
                day.edits,
                "; ".join(filter(None, (day.reason, day.again and f"again: {day.again}"))),
            )
            for day in report.days
        ]
        super().__init__(str(report), ("day", "notebook and pipeline", "what was changed", "why"), rows)


class TargetTable(Table):
    """The export targets; `targets` holds them as data."""

    def __init__(self, targets: Sequence[Mapping[str, Any]]) -> None:
        self.targets = tuple(targets)
        rows = [
            (t["name"], t["title"], t.get("fault") or ", ".join(t["expresses"]) or "–", ", ".join(t["lacks"]) or "–")
            for t in targets
        ]
        super().__init__(f"{len(rows)} targets", ("target", "is", "says", "has no word for"), rows)

    def __repr__(self) -> str:
        return f"{self.title}\n{text(self.targets, shutil.get_terminal_size((120, 24)).columns)}"
