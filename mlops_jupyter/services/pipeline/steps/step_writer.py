"""Turn drafts into the plan's steps: write each step's module, format it, and compute its version."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce

from mlops_jupyter.analysis.facts.extract import normalized_source
from mlops_jupyter.core.hidden_names import HIDDEN
from mlops_jupyter.core.plan import INITIAL, Parameter, PlanStep, Resources
from mlops_jupyter.runtime.hashing import step_version
from mlops_jupyter.runtime.model.pipeline import topological_order
from mlops_jupyter.services.pipeline.divergence_record import causes
from mlops_jupyter.services.pipeline.environment.implicit_submodules import unnamed_imports
from mlops_jupyter.services.pipeline.environment.requirements import top_modules
from mlops_jupyter.services.pipeline.process_notes import notes
from mlops_jupyter.services.pipeline.steps import function_body, step_module
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCodes, evaluates_inside
from mlops_jupyter.services.pipeline.steps.dataflow import Dataflow
from mlops_jupyter.services.pipeline.steps.formatting import format_all, using
from mlops_jupyter.services.pipeline.steps.grouping import Group
from mlops_jupyter.services.pipeline.steps.imports import ambiguous, in_order
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft
from mlops_jupyter.services.pipeline.steps.tracking_order import tracking_order

REPEATABLE = ("step.display:", "step.scripts:", "step.captured:", "step.ipython:")
"""Modules of the runtime whose use leaves a step cacheable: it need not run again if nothing changed."""


def write_steps(
    parts: CellCodes,
    groups: Sequence[Group],
    drafts: Sequence[StepDraft],
    flows: Dataflow,
    delivered: Mapping[str, int],
    package: str,
    after: Mapping[str, tuple[str, ...]],
) -> tuple[list[PlanStep], dict[str, bytes]]:
    """Write and format the modules of all steps; return the steps and the files that they share (path -> content).

    Parameters
    ----------
    delivered : the pipeline's outputs: name -> position of the execution that made its value.
    after : step -> steps that its author puts before it, whatever the dataflow between them.
    """
    shared = _shared(parts, flows.drafts)
    texts: dict[str, str] = {}
    runtime_of: dict[str, list[str]] = {}
    outputs = {d.name: flows.outputs(d, delivered) for d in flows.drafts}
    documented: set[int] = set()
    for draft in flows.drafts:
        returns = [n for g in outputs[draft.name] for n in g if not n.startswith(HIDDEN)]
        runtime = [use for m in draft.members for use in parts[m].translation.runtime]
        runtime_of[draft.name] = runtime
        texts[draft.name] = step_module.write(
            draft, parts, package, _doc(parts, draft, documented), returns, shared, runtime
        )
    if shared:
        texts[step_module.DEFINITIONS] = _definitions(parts, flows.drafts, shared)
    formatted = format_all(texts, package)
    common = formatted.pop(step_module.DEFINITIONS, "")
    files = {f"src/{package}/{step_module.DEFINITIONS}.py": common.encode()} if common else {}
    merged = {g.name: tuple(g.notes) for g in groups}
    names = {draft.name for draft in flows.drafts}
    steps = []
    for draft in flows.drafts:
        text, uses = formatted[draft.name], _uses(parts, draft, shared)
        hidden = {n: flows.step_of[m] if m is not None else INITIAL for n, m in flows.hidden(draft).items()}
        steps.append(
            PlanStep(
                name=draft.name,
                version=_version(text, uses),
                module=text,
                inputs={**{n: flows.step_of[m] for n, m in draft.inputs.items()}, **hidden},
                outputs=outputs[draft.name],
                parameters=tuple(draft.parameters),
                after=tuple(dict.fromkeys(n for n in (*after[draft.name], *flows.discards_after(draft)) if n in names)),
                imports=tuple(sorted((top_modules(text) | (top_modules(common) if uses else set())) - {package})),
                cells=tuple(parts[m].execution.cell or f"{c.number}" for m in draft.members if (c := parts[m].cell)),
                executions=tuple(draft.members),
                always=any(not use.startswith(REPEATABLE) for use in runtime_of[draft.name]),
                resources=reduce(lambda all_, m: parts[m].resources.over(all_), draft.members, Resources()),
                notes=tuple(dict.fromkeys((*merged[draft.name], *_doubts(parts, draft), *causes(parts, draft)))),
            )
        )
    by_name = {step.name: step for step in _after_readers(steps, flows)}
    ordered = topological_order({name: step.upstream for name, step in by_name.items()})
    return tracking_order(parts, [by_name[name] for name in ordered]), files


def _uses(parts: CellCodes, done: StepDraft, shared: Collection[Binding]) -> str:
    """Return the code outside of a step's module that its version depends on: shared definitions and scripts."""
    definitions = "".join(function_body.definition(parts, need) for need in done.hoisted if need in shared)
    return definitions + _scripts(parts, done)


def _after_readers(steps: list[PlanStep], flows: Dataflow) -> list[PlanStep]:
    """Let steps that change a file wait for those that read it as it was, unless these depend on them."""
    upstream = {step.name: set(step.upstream) for step in steps}

    def depends(name: str, other: str) -> bool:
        seen, todo = set[str](), [name]
        while todo:
            before = upstream[todo.pop()] - seen
            seen |= before
            todo += before
        return other in seen

    changed = []
    for step, draft in zip(steps, flows.drafts, strict=True):
        readers = (reader for reader in flows.readers_before(draft) if reader in upstream)
        waits = [reader for reader in readers if not depends(reader, step.name) and not depends(step.name, reader)]
        upstream[step.name].update(waits)
        changed.append(replace(step, after=(*step.after, *waits)))
    return changed


def _doubts(parts: CellCodes, done: StepDraft) -> list[str]:
    """Return notes on what capture could not be sure of, and on magics that do not do the same in a bundle."""
    members = [parts[member] for member in done.members]
    return [note for part in members for note in (*part.execution.notes, *part.translation.notes, *notes(part, parts))]


def _shared(parts: CellCodes, drafts: Sequence[StepDraft]) -> dict[Binding, str]:
    """Return the definitions that several steps use, for the bundle's `definitions` module.

    A definition that uses a name with different meanings in different steps is not shared: each step has its own.
    """
    users: dict[Binding, int] = {}
    versions: dict[str, set[int]] = {}
    for draft in drafts:
        for need in draft.hoisted:
            users[need] = users.get(need, 0) + 1
            versions.setdefault(need.name, set()).add(need.maker)
    apart = {name for name, makers in versions.items() if len(makers) > 1}
    apart |= ambiguous(parts, dict.fromkeys(need for draft in drafts for need in draft.imports))
    apart |= {need.name for need in users if evaluates_inside(function_body.definition(parts, need))}
    while dependents := {need.name for need in users if function_body.used(parts, need) & apart} - apart:
        apart |= dependents
    return {need: need.name for need, count in users.items() if count > 1 and need.name not in apart}


def _definitions(parts: CellCodes, drafts: Sequence[StepDraft], shared: Collection[Binding]) -> str:
    """Return the unformatted text of the module of shared definitions."""
    string_names = parts.names_in_strings({need.maker for need in shared})
    names = string_names.union(*(function_body.used(parts, need) for need in shared))
    imports = in_order(text for draft in drafts for text in draft.imported(names))
    texts = [
        function_body.definition(parts, need) for need in sorted(shared, key=lambda n: function_body.place(parts, n))
    ]
    head, body = "".join(imports), step_module.as_written(parts, "\n\n".join(texts))
    submodules = "".join(unnamed_imports(head, body))
    return f'"""Functions and classes that several steps use."""\n{head}{submodules}{body}\n{using(string_names)}'


def _scripts(parts: CellCodes, done: StepDraft) -> str:
    """Return the text of the scripts that a step runs or imports from, with those of the steps it reads names from."""
    makers = {need.maker for member in done.members for need in parts.reads(member) if need.maker in parts}
    return "".join(
        data.decode() + "\n"
        for member in sorted({*done.members, *makers})
        for data in parts[member].translation.scripts.values()
    )


def _version(text: str, uses: str) -> str:
    return step_version(normalized_source(text), normalized_source(uses))


def _doc(parts: CellCodes, done: StepDraft, told: set[int]) -> str:
    """Return a step's docstring: headings and prose of its cells. A heading goes to the first step under it only."""
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


def parameters(drafts: Sequence[StepDraft]) -> list[Parameter]:
    """Return the pipeline's parameters with their defaults, each once."""
    defaults: dict[str, object] = {}
    for draft in drafts:
        defaults.update(draft.parameters)
    return [Parameter(name, default) for name, default in defaults.items()]
