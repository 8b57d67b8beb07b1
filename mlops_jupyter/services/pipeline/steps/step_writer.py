"""Drafts -> steps: each step's module written out, formatted, versioned, and put into the plan's words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce

from mlops_jupyter.analysis.facts.extract import normalized_source
from mlops_jupyter.core.plan import HIDDEN, INITIAL, Parameter, PlanStep, Resources
from mlops_jupyter.runtime.hashing import step_version
from mlops_jupyter.services.pipeline.divergence_record import causes
from mlops_jupyter.services.pipeline.environment.implicit_submodules import unnamed_imports
from mlops_jupyter.services.pipeline.environment.requirements import top_modules
from mlops_jupyter.services.pipeline.steps import function_body, step_module
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCodes
from mlops_jupyter.services.pipeline.steps.dataflow import Dataflow
from mlops_jupyter.services.pipeline.steps.formatting import format_all, using
from mlops_jupyter.services.pipeline.steps.grouping import Group
from mlops_jupyter.services.pipeline.steps.imports import ambiguous, in_order
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft
from mlops_jupyter.services.pipeline.steps.tracking_order import tracking_order

REPEATABLE = ("step.display:", "step.scripts:", "step.ipython:")
"""Rooms of the runtime whose use leaves a step one that need not run again if nothing changed."""


def write_steps(
    parts: CellCodes,
    groups: Sequence[Group],
    drafts: Sequence[StepDraft],
    flows: Dataflow,
    delivered: Mapping[str, int],
    package: str,
    after: Mapping[str, tuple[str, ...]],
) -> tuple[list[PlanStep], dict[str, bytes]]:
    """Write every step's module, format them together, and put them into the plan's words.

    Parameters
    ----------
    after : step -> steps that its author puts before it, whatever flows between them.
    """
    shared = _shared(parts, flows.drafts)
    texts: dict[str, str] = {}
    runtime_of: dict[str, list[str]] = {}
    outputs = {d.name: flows.outputs(d, delivered) for d in flows.drafts}
    told: set[int] = set()
    for done in flows.drafts:
        returns = [n for g in outputs[done.name] for n in g if not n.startswith(HIDDEN)]
        runtime = [use for m in done.members for use in parts[m].translation.runtime]
        runtime_of[done.name] = runtime
        texts[done.name] = step_module.write(done, parts, package, _doc(parts, done, told), returns, shared, runtime)
    if shared:
        texts[step_module.DEFINITIONS] = _definitions(parts, flows.drafts, shared)
    formatted = format_all(texts, package)
    common = formatted.pop(step_module.DEFINITIONS, "")
    files = {f"src/{package}/{step_module.DEFINITIONS}.py": common.encode()} if common else {}
    notes = {g.name: tuple(g.notes) for g in groups}
    names = {done.name for done in flows.drafts}
    steps = []
    for done in flows.drafts:
        text = formatted[done.name]
        uses = "".join(function_body.definition(parts, n) for n in done.hoisted if n in shared) + _scripts(parts, done)
        hidden = {n: flows.step_of[m] if m is not None else INITIAL for n, m in flows.hidden(done).items()}
        steps.append(
            PlanStep(
                name=done.name,
                version=_version(text, uses),
                module=text,
                inputs={**{n: flows.step_of[m] for n, m in done.inputs.items()}, **hidden},
                outputs=outputs[done.name],
                parameters=tuple(done.parameters),
                after=tuple(name for name in after[done.name] if name in names),
                imports=tuple(sorted((top_modules(text) | (top_modules(common) if uses else set())) - {package})),
                cells=tuple(parts[m].execution.cell or f"{c.number}" for m in done.members if (c := parts[m].cell)),
                executions=tuple(done.members),
                always=any(not use.startswith(REPEATABLE) for use in runtime_of[done.name]),
                resources=reduce(lambda all_, m: parts[m].resources.over(all_), done.members, Resources()),
                notes=tuple(dict.fromkeys((*notes[done.name], *_doubts(parts, done), *causes(parts, done)))),
            )
        )
    return tracking_order(parts, _in_order(steps)), files


def _doubts(parts: CellCodes, done: StepDraft) -> list[str]:
    """What capture was not sure of, and what a shell line or a magic of its cells does not do as there."""
    members = [parts[member] for member in done.members]
    return [note for part in members for note in (*part.execution.notes, *part.translation.notes)]


def _shared(parts: CellCodes, drafts: Sequence[StepDraft]) -> dict[Binding, str]:
    """Definitions that several steps use, and classes, whose instances must find them in one place.

    Not those that use a name which is one thing in one step and another in the next: there each has its own.
    """
    users: dict[Binding, int] = {}
    versions: dict[str, set[int]] = {}
    for done in drafts:
        for need in done.hoisted:
            users[need] = users.get(need, 0) + 1
            versions.setdefault(need.name, set()).add(need.maker)
    apart = {name for name, makers in versions.items() if len(makers) > 1}
    apart |= ambiguous(parts, dict.fromkeys(need for done in drafts for need in done.imports))
    while more := {need.name for need in users if function_body.used(parts, need) & apart} - apart:
        apart |= more
    return {need: need.name for need, count in users.items() if count > 1 and need.name not in apart}


def _definitions(parts: CellCodes, drafts: Sequence[StepDraft], shared: Collection[Binding]) -> str:
    """Write the module of what several steps use, not yet formatted."""
    spoken = parts.names_in_strings({need.maker for need in shared})
    names = spoken.union(*(function_body.used(parts, need) for need in shared))
    imports = in_order(text for done in drafts for text in done.imported(names))
    texts = [
        function_body.definition(parts, need) for need in sorted(shared, key=lambda n: function_body.place(parts, n))
    ]
    head, body = "".join(imports), "\n\n".join(texts)
    more = "".join(unnamed_imports(head, body))
    return f'"""Functions and classes that several steps use."""\n{head}{more}{body}\n{using(spoken)}'


def _scripts(parts: CellCodes, done: StepDraft) -> str:
    """What the files say that a step runs or imports from: of itself, and for names that it has from others."""
    makers = {need.maker for member in done.members for need in parts.reads(member) if need.maker in parts}
    return "".join(
        data.decode() + "\n"
        for member in sorted({*done.members, *makers})
        for data in parts[member].translation.scripts.values()
    )


def _version(text: str, uses: str) -> str:
    return step_version(normalized_source(text), normalized_source(uses))


def _doc(parts: CellCodes, done: StepDraft, told: set[int]) -> str:
    """Headings and prose of a step's cells. A heading speaks of the first step under it: it is told once."""
    headings, prose = [], []
    for member in done.members:
        cell = parts[member].cell
        if cell is not None:
            if cell.heading and cell.section not in told and cell.heading not in headings:
                headings.append(cell.heading)
            told.add(cell.section)
            if cell.prose and cell.prose not in prose:
                prose.append(cell.prose)
    title = ". ".join(headings).rstrip(".") if headings else ""
    title += "." if title and title[-1] not in "!?:…" else ""
    return "\n\n".join(filter(None, (title, *prose)))


def _in_order(steps: Sequence[PlanStep]) -> list[PlanStep]:
    """Sort steps so that each comes after those it takes from, keeping the notebook's order otherwise."""
    from graphlib import TopologicalSorter

    place = {step.name: i for i, step in enumerate(steps)}
    by_name = {step.name: step for step in steps}
    sorter = TopologicalSorter({step.name: step.upstream for step in steps})
    sorter.prepare()
    ordered: list[PlanStep] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=place.__getitem__)
        name = ready.pop(0)
        ordered.append(by_name[name])
        sorter.done(name)
    return ordered


def parameters(drafts: Sequence[StepDraft]) -> list[Parameter]:
    found: dict[str, object] = {}
    for done in drafts:
        found.update(done.parameters)
    return [Parameter(name, default) for name, default in found.items()]
