"""A recording -> a plan: the recipe, in named steps."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from numbers import Number

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.graph import Graph, build
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.plan import HIDDEN, Plan, PlanStep, Schedule
from mlops_jupyter.runtime.model.package_versions import forget
from mlops_jupyter.services.pipeline import divergence_record
from mlops_jupyter.services.pipeline.environment.local_modules import imported, local_modules, with_imports
from mlops_jupyter.services.pipeline.environment.requirements import environment
from mlops_jupyter.services.pipeline.expected_values import ExpectedValues
from mlops_jupyter.services.pipeline.magics import run_scripts
from mlops_jupyter.services.pipeline.magics.translate import answers, translate
from mlops_jupyter.services.pipeline.magics.translation import CellContext
from mlops_jupyter.services.pipeline.magics.unknown_magics import extensions
from mlops_jupyter.services.pipeline.ports import Magics, Recording
from mlops_jupyter.services.pipeline.select import cell_tags, selection, validation
from mlops_jupyter.services.pipeline.select.cell_identity import in_file, step_name
from mlops_jupyter.services.pipeline.select.cell_tags import CellTag, Role
from mlops_jupyter.services.pipeline.steps import step_module
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.crossing import Crossing
from mlops_jupyter.services.pipeline.steps.dataflow import Dataflow, deliverable
from mlops_jupyter.services.pipeline.steps.grouping import Group, group, identifier, merge, overwritten
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft, draft
from mlops_jupyter.services.pipeline.steps.step_writer import parameters, write_steps

FROM_IPYTHON = re.compile(r"\bIPython\b").search
"""Whether a cell has its `display` from there."""


DATA_BYTES = 50 * 10**6
"""Size up to which data files travel, unless the user says otherwise."""


@dataclass(frozen=True)
class PlanRequest:
    """What the user asked of an export.

    Attributes
    ----------
    name : of the pipeline; the package is derived from it.
    outputs : variables to deliver; None: every step's last values that nothing else takes.
    schedule : valid.
    allow_ipython : keep magics that only IPython knows; the bundle then needs IPython.
    secrets, alert : see `Plan`.
    data_bytes : a data file up to this size travels with the bundle; a larger one is named by place and content.
    """

    name: str
    outputs: tuple[str, ...] | None = None
    schedule: Schedule | None = None
    lock: bool = True
    allow_ipython: bool = False
    secrets: tuple[str, ...] = ()
    alert: str = ""
    data_bytes: int = DATA_BYTES


def plan(recording: Recording, request: PlanRequest, magics: Magics) -> Plan:
    """Make the plan of what was recorded.

    Raises
    ------
    UserError
        An output that no cell made or that cannot be saved; a cell that failed half way and is needed; a magic
        that has no meaning outside IPython; a value made before recording began.
    """
    forget()  # the notebook may have installed a package since the last plan
    graph = build([_taking(execution, magics) for execution in recording.history])
    cells = in_file(recording.history, recording.cells)
    validation.check_seen(graph.history, cells)
    looks = selection.find_display_only(graph, lambda execution: answers(execution, magics))
    marked = cell_tags.marks(graph, cells, recording.cells)
    skipped = {p for p, mark in marked.items() if mark.role is Role.SKIP and not step_name(graph.history[p])}
    kept = selection.select(graph, cells, _live(recording, request, graph, looks, skipped), looks, skipped)
    if not kept:
        raise UserError("nothing to export: no cell has run since `%load_ext mlops_jupyter`")
    package = identifier(request.name, "pipeline")
    sites = _sites(graph, kept, cells, recording, package, request.allow_ipython, marked)
    parts = CellCodes(graph, {p: _part(site, p, cells, magics) for p, site in sites})
    validation.check_born(parts, kept, cells, recording)
    validation.check_lost(parts, kept, cells)
    groups = group(graph, kept, selection.labels(graph, kept, cells, marked))
    groups = merge(graph, groups, Crossing(recording, parts).obstacles(groups))
    while again := overwritten(graph, groups):
        groups = merge(graph, groups, again)
    _rename_clashes(parts, groups)
    drafts = [draft(parts, g.name, g.members) for g in groups]
    if all(draft.empty for draft in drafts):
        raise UserError("nothing to export: the cells that ran only import, define or comment")
    _renumber(groups, drafts)
    flows = Dataflow(parts, drafts)
    expected_values = ExpectedValues(recording, request.data_bytes)
    delivered = expected_values.savable(deliverable(flows, request.outputs), explicit=request.outputs is not None)
    steps, files = write_steps(parts, groups, drafts, flows, delivered, package, cell_tags.after(groups, marked))
    beside = {module for part in parts for module in part.translation.modules}
    ran = run_scripts.collect((part.translation for part in parts), package)
    used = {module for step in steps for module in step.imports} | beside | (imported(ran) - {package})
    own = local_modules(used)
    steps = [replace(step, imports=with_imports(step.imports, own)) for step in steps]
    env, doubts = environment(used | imported(own), _handed_on(recording, steps), parts, request.lock)
    proof = expected_values.collect(package, steps, delivered)
    known, changed = divergence_record.record(parts, flows, steps, recording.folder)
    of_cells = (
        *_left_out(looks, cells),
        *selection.needed_all_the_same(graph, kept, skipped, cells),
        *selection.edited_or_further(graph, kept, cells),
    )
    return Plan(
        name=request.name,
        package=package,
        steps=tuple(steps),
        parameters=tuple(parameters(drafts)),
        outputs={name: flows.step_of[maker] for name, maker in delivered.items()},
        environment=env,
        schedule=request.schedule,
        expected=proof.expected,
        files={**files, **{f"src/{path}": data for path, data in {**own, **ran}.items()}, **proof.files, **known},
        secrets=request.secrets,
        alert=request.alert,
        notes=tuple(dict.fromkeys((*of_cells, *proof.notes, *changed, *doubts))),
    )


def _handed_on(recording: Recording, steps: Sequence[PlanStep]) -> list[object]:
    """Values of the variables that steps give, as far as the notebook still has them."""
    namespace = recording.namespace
    return [namespace.get(name) for step in steps for names in step.outputs for name in names]


def _live(
    recording: Recording, request: PlanRequest, graph: Graph, looks: selection.DisplayOnly, skipped: Set[int]
) -> list[str]:
    if request.outputs is None:
        return [n for n in recording.namespace if not n.startswith("_") and graph.last.get(n) not in skipped]
    made = {n for e in recording.history for n in e.writes}
    for name in request.outputs:
        if name not in recording.namespace or name not in made:
            raise UserError(f"no cell made an output named {name!r}: the notebook has {_names(made)}")
        if (name, graph.last.get(name)) in looks.values:
            raise UserError(
                f"the output {name!r} comes from what a magic of this notebook showed; a bundle has no notebook"
            )
    return list(request.outputs)


def _left_out(looks: selection.DisplayOnly, cells: Sequence[CodeCell | None]) -> list[str]:
    return [
        f"{selection.where(position, cells)} is left out: it works with what a magic of the notebook showed"
        for position in sorted(looks.executions)
        if cells[position] is not None
    ]


def _names(made: set[str]) -> str:
    shown = sorted(n for n in made if not n.startswith((HIDDEN, "_")))
    return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "") if shown else "no variables"


def _taking(execution: Execution, magics: Magics) -> Execution:
    """Add what `--in` names to what the cell was seen to read."""
    inputs = magics.declared(execution).inputs
    return replace(execution, reads=execution.reads | inputs) if inputs else execution


def _sites(
    graph: Graph,
    kept: Sequence[int],
    cells: Sequence[CodeCell | None],
    recording: Recording,
    package: str,
    allow_ipython: bool,
    marked: Mapping[int, CellTag],
) -> Iterator[tuple[int, CellContext]]:
    """Yield where each kept execution stands."""
    history = graph.history
    own_display = any("display" in each.writes and not FROM_IPYTHON(each.body) for each in history)
    moved = next((p for p, each in enumerate(history) if "~cwd" in each.writes), len(history))
    for position in kept:
        execution, role = history[position], marked[position].role
        printed = cell_tags.printed(execution.body) if role is Role.METRICS else ()
        yield (
            position,
            CellContext(
                replace(execution, displays_result=False) if own_display else execution,
                selection.where(position, cells),
                folder=None if moved < position else recording.folder,
                package=package,
                allow_ipython=allow_ipython,
                extensions=extensions(history[: position + 1]) if allow_ipython else (),
                role=role,
                metrics=tuple(name for name in printed if isinstance(recording.namespace.get(name), Number)),
            ),
        )


def _part(site: CellContext, position: int, cells: Sequence[CodeCell | None], magics: Magics) -> CellCode:
    execution = site.execution
    done = translate(magics, site)
    declared, cell = magics.declared(execution), cells[position]
    parameters = dict(declared.parameters)
    if site.role is Role.PARAMETERS:
        parameters |= extract_facts(to_python(execution.body)).literals
    found = extract_facts(done.text.removesuffix("\n"))  # where nothing was translated, capture has asked for that text
    return CellCode(position, execution, done, found, cell, parameters, declared.outputs, declared.resources)


def _renumber(groups: list[Group], drafts: list[StepDraft]) -> None:
    """Let `load_2` be `load` where nothing is left of the cells that had that name first."""
    for empty in (number for number, each in enumerate(drafts) if each.empty):
        name = groups[empty].name
        next_one = re.compile(rf"{name}_\d+").fullmatch
        for number, each in enumerate(drafts):
            if not each.empty and next_one(each.name):
                groups[empty].name = drafts[empty].name = each.name
                groups[number].name = drafts[number].name = name
                break


def _rename_clashes(parts: CellCodes, groups: list[Group]) -> None:
    """A step's function must not hide an import, a definition, a builtin or a name of a formula in its own module."""
    members = [m for g in groups for m in g.members]
    bound = {n for m in members for n in parts[m].facts.writes if parts.is_code(Binding(n, m))}
    bound |= {n for m in members for n in parts[m].facts.string_reads}
    bound |= {n for m in members for n in parts[m].facts.reads if hasattr(builtins, n)}
    taken = {g.name for g in groups}
    for each in groups:
        while each.name in bound or each.name == step_module.DEFINITIONS:
            each.name = f"{each.name}_step"
            while each.name in taken:
                each.name += "_"
            taken.add(each.name)
