"""Plan a pipeline from what a notebook recorded: the recipe, in named steps."""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from numbers import Number
from pathlib import Path

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.graph import Graph, build
from mlops_jupyter.analysis.mutations.possible_changes import with_possible_changes
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.hidden_names import FILE, HIDDEN, WORKING_DIRECTORY
from mlops_jupyter.core.plan import Plan, PlanStep, ScheduleSpec
from mlops_jupyter.runtime.model.package_versions import forget
from mlops_jupyter.runtime.model.parameters import is_json
from mlops_jupyter.runtime.secret_values import KnownSecrets
from mlops_jupyter.runtime.step.module_places import INDEX
from mlops_jupyter.services.pipeline import divergence_record
from mlops_jupyter.services.pipeline.environment.local_modules import (
    imported,
    loaded_by_name,
    local_modules,
    local_texts,
    package_name,
    places,
    with_imports,
)
from mlops_jupyter.services.pipeline.environment.requirements import environment, top_modules
from mlops_jupyter.services.pipeline.environment.thread_record import thread_record, thread_variables
from mlops_jupyter.services.pipeline.expected_values import ExpectedValues
from mlops_jupyter.services.pipeline.magics import run_scripts, session_memory
from mlops_jupyter.services.pipeline.magics.translate import answers, translate
from mlops_jupyter.services.pipeline.magics.translation import CellContext
from mlops_jupyter.services.pipeline.magics.unknown_magics import extensions
from mlops_jupyter.services.pipeline.parameter_files import named_by_parameters
from mlops_jupyter.services.pipeline.ports import Magics, Recording
from mlops_jupyter.services.pipeline.secret_sources import is_environment_file, read_secrets, variable_secrets
from mlops_jupyter.services.pipeline.select import cell_tags, selection, validation
from mlops_jupyter.services.pipeline.select.allowed_errors import with_allowed_errors
from mlops_jupyter.services.pipeline.select.cell_identity import in_file, step_name
from mlops_jupyter.services.pipeline.select.cell_tags import CellTag, Role
from mlops_jupyter.services.pipeline.steps import step_module
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.crossing import Crossing
from mlops_jupyter.services.pipeline.steps.dataflow import Dataflow, deliverable
from mlops_jupyter.services.pipeline.steps.file_tree import notebook_folder
from mlops_jupyter.services.pipeline.steps.grouping import Group, group, identifier, merge, overwritten
from mlops_jupyter.services.pipeline.steps.notebook_program import PATH as PROGRAM
from mlops_jupyter.services.pipeline.steps.notebook_program import notebook_program
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft, draft
from mlops_jupyter.services.pipeline.steps.step_writer import parameters, write_steps
from mlops_jupyter.services.pipeline.steps.volatility import with_outside_world

FROM_IPYTHON = re.compile(r"\bIPython\b").search
"""Search a cell's text for the package from which it may import `display`."""


DATA_BYTES = 50 * 10**6
"""Size in bytes up to which data files travel with the bundle, unless the user says otherwise."""


@dataclass(frozen=True)
class PlanRequest:
    """What the user asked of an export.

    Attributes
    ----------
    name : the pipeline's name, from which the package's name is derived.
    outputs : variables to deliver; None: the last values of every step that no other step takes.
    schedule : when the pipeline is to run, already validated.
    lock : whether to lock the requirements.
    allow_ipython : whether to keep magics that only IPython knows; the bundle then needs IPython.
    allow_errors : whether cells may raise; what such a cell did before is kept.
    secrets, alert : see `Plan`.
    data_bytes : size in bytes up to which a data file travels with the bundle; a larger one is recorded by its path
        and digest.
    """

    name: str
    outputs: tuple[str, ...] | None = None
    schedule: ScheduleSpec | None = None
    lock: bool = True
    allow_ipython: bool = False
    allow_errors: bool = False
    secrets: tuple[str, ...] = ()
    alert: str = ""
    data_bytes: int = DATA_BYTES


def plan(recording: Recording, request: PlanRequest, magics: Magics) -> Plan:
    """Plan the pipeline of a recorded notebook.

    Raises
    ------
    UserError
        If no cell made an output or it cannot be saved, if a needed cell failed half way, if a magic has no meaning
        outside IPython, or if a needed value was made before recording began.
    """
    forget()  # the notebook may have installed a package since the last plan
    selected = _selected(recording, request, magics)
    package = package_name(identifier(request.name, "pipeline"))
    parts = _parts(recording, request, magics, selected, package)
    secrets = KnownSecrets([*read_secrets(recording, request.secrets), *variable_secrets(recording)])
    groups, drafts = _drafts(recording, parts, selected, secrets)
    flows = Dataflow(parts, drafts)
    expected_values = ExpectedValues(recording, request.data_bytes, secrets)
    delivered = expected_values.savable(deliverable(flows, request.outputs), explicit=request.outputs is not None)
    after = cell_tags.after(groups, selected.marked)
    steps, files = write_steps(parts, groups, drafts, flows, delivered, package, after)
    scripts = run_scripts.collect((part.translation for part in parts), package)
    steps = _with_loaded_modules(steps, files, recording.folder)
    modules = _modules(parts, steps, scripts, package, recording.folder)
    sources = local_modules(modules)
    local = {f"src/{path}": data for path, data in sources.items()}
    steps = [replace(step, imports=with_imports(step.imports, sources)) for step in steps]
    steps = with_outside_world(parts, steps, package, {**files, **local})
    handed_on, variables = _handed_on(recording, steps), thread_variables(recording)
    env, lock_notes = environment(modules | imported(sources), handed_on, parts, request.lock, variables)
    module_places = places(sources, recording.folder)
    folder = notebook_folder(steps, module_places.values(), recording.folder)
    settings = parameters(drafts)
    program = notebook_program(parts, package, {parameter.name: parameter.default for parameter in settings})
    named = named_by_parameters(settings, steps, recording.folder)
    proof = expected_values.collect(package, steps, delivered, folder, named)
    divergence_files, divergence_notes = divergence_record.record(parts, flows, steps, recording)
    scripts = {f"src/{path}": data for path, data in scripts.items()}
    files |= {**local, **scripts, **proof.files, PROGRAM: program.encode(errors="surrogatepass")}
    files |= {**_index(package, module_places), **divergence_files, **thread_record()}
    return Plan(
        name=request.name,
        package=package,
        steps=tuple(steps),
        parameters=tuple(settings),
        outputs={name: flows.step_of[maker] for name, maker in delivered.items()},
        environment=env,
        schedule=request.schedule,
        expected=proof.expected,
        files=files,
        secrets=request.secrets,
        alert=request.alert,
        folder=folder,
        notes=tuple(dict.fromkeys((*selected.notes, *proof.notes, *divergence_notes, *lock_notes))),
    )


def _parts(recording: Recording, request: PlanRequest, magics: Magics, selected: _Selected, package: str) -> CellCodes:
    """Return the selected executions as plain Python; raise `UserError` if one of them cannot be exported."""
    graph, kept, cells = selected.graph, selected.kept, selected.cells
    sites = _sites(graph, kept, cells, recording, package, request.allow_ipython, selected.marked)
    parts = CellCodes(graph, {p: _part(site, p, cells, magics) for p, site in sites})
    validation.check_born(parts, kept, cells, recording)
    validation.check_lost(parts, kept, cells)
    validation.check_prompts(parts, kept, cells)
    validation.check_files(parts, kept, cells, request.secrets)
    return parts


def _drafts(
    recording: Recording, parts: CellCodes, selected: _Selected, secrets: KnownSecrets
) -> tuple[list[Group], list[StepDraft]]:
    """Return the groups of executions that become steps, and the draft of each; raise `UserError` if all are empty."""
    labels = selection.labels(selected.graph, selected.kept, selected.cells, selected.marked)
    labelled = group(selected.graph, selected.kept, labels)
    groups = _merged(selected.graph, labelled, Crossing(recording, parts, secrets))
    _rename_clashes(parts, groups)
    drafts = [draft(parts, g.name, g.members) for g in groups]
    if all(draft.empty for draft in drafts):
        raise UserError("nothing to export: the cells that ran only import, define or comment")
    _renumber(groups, drafts)
    return groups, drafts


def _modules(
    parts: CellCodes, steps: Sequence[PlanStep], scripts: Mapping[str, bytes], package: str, folder: Path
) -> set[str]:
    """Return the names of the modules that the bundle needs, but for what local modules import."""
    modules = {module for step in steps for module in step.imports}
    modules |= {module for part in parts for module in part.translation.modules}
    return modules | (imported(scripts) - {package}) | imported(_programs(steps, folder))


@dataclass(frozen=True)
class _Selected:
    """The executions that become steps.

    Attributes
    ----------
    graph : of all executions; those that are kept count as having changed what they may change.
    kept : positions of the executions, in order.
    cells : execution -> its cell in the notebook's file.
    marked : position -> what the cell's tags say.
    notes : what was left out or kept otherwise than its author says, for people.
    """

    graph: Graph
    kept: tuple[int, ...]
    cells: Sequence[CodeCell | None]
    marked: Mapping[int, CellTag]
    notes: tuple[str, ...]


def _selected(recording: Recording, request: PlanRequest, magics: Magics) -> _Selected:
    """Select executions by what they were seen to do, then add what they may do on other days."""
    cells = in_file(recording.history, recording.cells)
    taking = [_taking(execution, magics) for execution in recording.history]
    history = list(with_allowed_errors(taking, cells, request.allow_errors))
    graph = build(history)
    validation.check_seen(graph.history, cells)
    display_only = selection.find_display_only(graph, lambda execution: answers(execution, magics))
    marked = cell_tags.marks(graph, cells, recording.cells)
    skipped = {p for p, mark in marked.items() if mark.role is Role.SKIP and not step_name(graph.history[p])}
    skipped |= {p for p, execution in enumerate(graph.history) if execution.header("private")}
    live = _live(recording, request, graph, display_only, skipped)
    kept = selection.select(graph, cells, live, display_only, skipped)
    validation.check_private(graph.history, kept, cells)
    if not kept:
        raise UserError("nothing to export: no cell has run since `%load_ext mlops_jupyter`")
    notes = (
        *_left_out(display_only, cells),
        *selection.needed_all_the_same(graph, kept, skipped, cells),
        *selection.edited_or_further(graph, kept, cells),
    )
    bodies = (history[position].body for position in kept)
    own = local_texts(module for body in bodies if "import" in body for module in top_modules(to_python(body)))
    graph = build(with_possible_changes(history, kept, own, _is_watched(recording)))
    return _Selected(graph, graph.slice(kept), cells, marked, notes)


def _index(package: str, module_places: Mapping[str, str]) -> dict[str, bytes]:
    """Return the file of the bundle that says where the local modules were which look for files beside their own."""
    path = f"src/{package}/initial/{INDEX}"
    return {path: json.dumps(module_places, indent=1).encode()} if module_places else {}


def _is_watched(recording: Recording) -> Callable[[str], bool]:
    """Return a function that says whether a hidden variable's first value is known."""

    def is_watched(name: str) -> bool:
        try:
            recording.initial(name)
        except UserError:
            return False
        return True

    return is_watched


def _programs(steps: Sequence[PlanStep], project: Path) -> dict[str, bytes]:
    """Return the Python files that steps run as programs, or as text: path -> content."""
    names = {name.removeprefix(FILE) for step in steps for name in step.inputs if name.startswith(FILE)}
    paths = (project / name for name in names if name.endswith(".py"))
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def _with_loaded_modules(steps: Sequence[PlanStep], files: Mapping[str, bytes], project: Path) -> list[PlanStep]:
    """Return the steps, each with the project's modules that it, or a local module, may import by name as it runs.

    Files of secrets are taken out of their inputs.
    """
    shared = [data.decode() for path, data in files.items() if path.endswith(".py")]
    result = []
    for step in steps:
        own = [step.module, *shared, *local_texts(step.imports)]
        imports = tuple(sorted({*step.imports, *loaded_by_name(own, project)}))
        inputs = {name: maker for name, maker in step.inputs.items() if not is_environment_file(name)}
        result.append(replace(step, imports=imports, inputs=inputs))
    return result


def _merged(graph: Graph, groups: list[Group], crossing: Crossing) -> list[Group]:
    """Return the groups, those merged between which a value cannot cross or would be overwritten."""
    groups = merge(graph, groups, crossing.obstacles(groups))
    while conflicts := overwritten(graph, groups):
        groups = merge(graph, groups, conflicts)
    return groups


def _handed_on(recording: Recording, steps: Sequence[PlanStep]) -> list[object]:
    """Return the values of the steps' outputs, as far as the notebook still has them."""
    namespace = recording.namespace
    return [namespace.get(name) for step in steps for names in step.outputs for name in names]


def _live(
    recording: Recording, request: PlanRequest, graph: Graph, looks: selection.DisplayOnly, skipped: Set[int]
) -> list[str]:
    if request.outputs is None:
        return [n for n in recording.namespace if not n.startswith("_") and graph.last.get(n) not in skipped]
    written = {n for e in recording.history for n in e.writes}
    for name in request.outputs:
        if name not in recording.namespace or name not in written:
            raise UserError(f"no cell made an output named {name!r}: the notebook has {_names(written)}")
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
    """Add the inputs that `--in` declares to the reads of the execution."""
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
    """Yield each kept execution's position with its cell's context."""
    history = graph.history
    binds_display = any("display" in each.writes and not FROM_IPYTHON(each.body) for each in history)
    first_chdir = next((p for p, each in enumerate(history) if WORKING_DIRECTORY in each.writes), len(history))
    for position in kept:
        execution, role = history[position], marked[position].role
        printed_names = cell_tags.printed(execution.body) if role is Role.METRICS else ()
        yield (
            position,
            CellContext(
                replace(execution, displays_result=False) if binds_display else execution,
                selection.where(position, cells),
                folder=None if first_chdir < position else recording.folder,
                package=package,
                allow_ipython=allow_ipython,
                extensions=extensions(history[: position + 1]) if allow_ipython else (),
                role=role,
                previous_folder=session_memory.previous_folder(history, position),
                capture_is_read=session_memory.is_capture_read(history, position),
                metrics=tuple(name for name in printed_names if isinstance(recording.namespace.get(name), Number)),
            ),
        )


def _part(site: CellContext, position: int, cells: Sequence[CodeCell | None], magics: Magics) -> CellCode:
    execution = site.execution
    translation = translate(magics, site)
    declared, cell = magics.declared(execution), cells[position]
    parameters = dict(declared.parameters)
    if site.role is Role.PARAMETERS:
        literals = extract_facts(to_python(execution.body)).literals
        parameters |= {name: value for name, value in literals.items() if is_json(value)}
    facts = extract_facts(translation.text.removesuffix("\n"))  # cached by capture where nothing was translated
    return CellCode(
        position,
        execution,
        translation,
        facts,
        cell,
        parameters,
        declared.outputs,
        declared.resources,
        declared.is_cached,
    )


def _renumber(groups: list[Group], drafts: list[StepDraft]) -> None:
    """Rename step `load_2` to `load` where the draft that had that name first is empty."""
    for empty_number in (number for number, step in enumerate(drafts) if step.empty):
        name = groups[empty_number].name
        is_numbered = re.compile(rf"{name}_\d+").fullmatch
        for number, step in enumerate(drafts):
            if not step.empty and is_numbered(step.name):
                groups[empty_number].name = drafts[empty_number].name = step.name
                groups[number].name = drafts[number].name = name
                break


def _rename_clashes(parts: CellCodes, groups: list[Group]) -> None:
    """Rename each step whose function would hide an import, definition, builtin or formula's name in its module."""
    members = [m for g in groups for m in g.members]
    bound = {n for m in members for n in parts[m].facts.writes if parts.is_code(Binding(n, m))}
    bound |= {n for m in members for n in parts[m].facts.string_reads}
    bound |= {n for m in members for n in parts[m].facts.reads if hasattr(builtins, n)}
    taken = {g.name for g in groups}
    for step in groups:
        while step.name in bound or step.name == step_module.DEFINITIONS:
            step.name = f"{step.name}_step"
            while step.name in taken:
                step.name += "_"
            taken.add(step.name)
