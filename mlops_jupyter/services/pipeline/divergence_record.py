"""The record in which `verify` finds the first divergence of a run from the notebook: `tests/expected/steps.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlops_jupyter.analysis.facts.extract import NondeterminismCause, NondeterminismKind
from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.core.plan import PlanStep
from mlops_jupyter.runtime.model.package_versions import versions
from mlops_jupyter.runtime.model.pipeline import data_files
from mlops_jupyter.services.pipeline.environment.local_modules import rewritten
from mlops_jupyter.services.pipeline.ports import Recording
from mlops_jupyter.services.pipeline.process_notes import losses
from mlops_jupyter.services.pipeline.steps.cell_code import CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.dataflow import Dataflow
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft

PATH = "tests/expected/steps.json"

CARRIED = (NondeterminismKind.UNSEEDED,)
"""Causes that rarely matter in a bundle, because random states cross from step to step: only draws in processes of
their own, or from a state that is not watched, still differ each time."""

FINGERPRINT = re.compile(r"[0-9a-f]{32}").fullmatch
"""Match the mark of a value, or of a file's content, whose fingerprint capture could take: 32 hex digits."""


def causes(parts: CellCodes, done: StepDraft, carried: bool = False) -> list[str]:
    """Describe the causes of nondeterminism in a step's cells and in the definitions of other cells that it uses.

    Parameters
    ----------
    carried : whether to include causes that rarely matter in a bundle (see `CARRIED`).
    """
    pairs = [(parts[member], cause) for member in done.members for cause in parts.causes(member)]
    for need in done.hoisted:
        part = parts[need.maker]
        statement = part.binding(need.name)
        if need.maker not in done.members and statement is not None:
            lines = range(statement.span.line, statement.span.end_line + 1)
            pairs += [(part, cause) for cause in parts.causes(need.maker) if cause.line in lines]
    return list(dict.fromkeys(_said(*pair) for pair in pairs if carried or pair[1].kind not in CARRIED))


def _said(part: CellCode, cause: NondeterminismCause) -> str:
    where = f"cell {part.cell.number}" if part.cell else f"execution {part.position + 1}"
    return f"{cause.kind.value}: `{cause.text}` ({where})"


def record(
    parts: CellCodes, flows: Dataflow, steps: Sequence[PlanStep], recording: Recording
) -> tuple[dict[str, bytes], list[str]]:
    """Return the record's file (path -> content), and a note for each data file or own module rewritten after its use.

    The notebook read, or imported, an earlier content of these.
    """
    facts: dict[str, Mapping[str, object]] = {}
    stale: dict[str, None] = {}
    drafts = {step_draft.name: step_draft for step_draft in flows.drafts}
    rewritten_sources = rewritten({module for step in steps for module in step.imports}, parts.graph.history)
    for step in steps:
        step_draft = drafts[step.name]
        step_stale = [
            *_stale(parts, step_draft, step, recording),
            *(_told(path, recording.folder) for m in step.imports for path in rewritten_sources.get(m, ())),
        ]
        stale |= dict.fromkeys(step_stale)
        facts[step.name] = {
            "values": dict(_values(parts, flows, step_draft, step)),
            "packages": {m: v for m, v in versions(step.imports).items() if v != "missing" and ":" not in v},
            "stale": step_stale,
            "causes": [
                *(causes(parts, step_draft) or causes(parts, step_draft, carried=True)),
                *losses(parts, step_draft, step.imports),
            ],
        }
    notes = [f"the file {p!r} was written again after the notebook read it; the bundle has it as now" for p in stale]
    return {PATH: json.dumps(facts, indent=1, ensure_ascii=False).encode()}, notes


def _values(parts: CellCodes, flows: Dataflow, done: StepDraft, step: PlanStep) -> Iterator[tuple[str, str]]:
    """Yield each output of a step with its fingerprint at the end of the last cell that made it."""
    makers = flows.values(done)
    for member in done.members:
        makers |= {name: member for name in parts.graph.history[member].writes if name.startswith(FILE)}
    for name in (name for group in step.outputs for name in group if name in makers):
        mark = parts.graph.history[makers[name]].writes.get(name, "")
        if FINGERPRINT(mark):
            yield name, mark


def _told(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _stale(parts: CellCodes, done: StepDraft, step: PlanStep, recording: Recording) -> Iterator[str]:
    """Yield the paths of a step's data files that were written after the step had first read them, and not kept."""
    for path in data_files(step.inputs):
        if recording.original(path) is not None:
            continue
        source = recording.folder / path
        readers = (parts.graph.history[m] for m in done.members)
        ends = [e.started + e.seconds for e in readers if FILE + path in e.reads]
        if ends and source.is_file() and source.stat().st_mtime > min(ends):
            yield path
