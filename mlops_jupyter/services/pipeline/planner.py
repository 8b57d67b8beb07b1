"""A recording -> a plan: the recipe, in named steps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts import CauseKind, facts, normalised
from mlops_jupyter.analysis.graph import Graph, build
from mlops_jupyter.analysis.outline import CodeCell, match
from mlops_jupyter.capture.values import UNKNOWN
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import HIDDEN, INITIAL, Parameter, Plan, Schedule, Step
from mlops_jupyter.core.records import Execution
from mlops_jupyter.services.pipeline import choosing, modules
from mlops_jupyter.services.pipeline.environment import environment, top_modules
from mlops_jupyter.services.pipeline.evidence import Evidence
from mlops_jupyter.services.pipeline.formatting import format_all
from mlops_jupyter.services.pipeline.grouping import Group, group, identifier, merge, overwritten
from mlops_jupyter.services.pipeline.local import local_modules
from mlops_jupyter.services.pipeline.modules import Draft
from mlops_jupyter.services.pipeline.parts import Need, Part, Parts
from mlops_jupyter.services.pipeline.ports import Magics, Recording
from mlops_jupyter.services.pipeline.translate import answers, translate


@dataclass(frozen=True)
class Request:
    """What the user asked of an export.

    Attributes
    ----------
    name : of the pipeline; the package is derived from it.
    outputs : variables to deliver; None: every step's last values that nothing else takes.
    """

    name: str
    outputs: tuple[str, ...] | None = None
    schedule: Schedule | None = None
    lock: bool = True


def plan(recording: Recording, request: Request, magics: Magics) -> Plan:
    """Make the plan of what was recorded.

    Raises
    ------
    UserError
        An output that no cell made or that cannot be saved; a cell that failed half way and is needed; a magic
        that has no meaning outside IPython; a value made before recording began.
    """
    graph = build([_taking(execution, magics) for execution in recording.history])
    cells = match(recording.cells, [(e.cell, e.raw) for e in recording.history])
    looks = choosing.looked(graph, lambda execution: answers(execution, magics))
    kept = choosing.keep(graph, cells, _live(recording, request, graph, looks), looks)
    if not kept:
        raise UserError("nothing to export: no cell has run since `%load_ext mlops_jupyter`")
    parts = Parts(graph, {p: _part(graph, p, cells, magics) for p in kept})
    _check_born(parts, kept, cells, recording)
    evidence = Evidence(recording, parts)
    groups = group(graph, kept, choosing.labels(graph, kept, cells))
    groups = merge(graph, groups, evidence.cannot_part(groups))
    while again := overwritten(graph, groups):
        groups = merge(graph, groups, again)
    _rename_clashes(parts, groups)
    drafts = [modules.draft(parts, g.name, g.members) for g in groups]
    flows = _Flows(parts, drafts)
    delivered = _delivered(flows, evidence, request)
    package = identifier(request.name, "pipeline")
    steps, files = _steps(parts, groups, drafts, flows, delivered, package)
    own = local_modules(module for step in steps for module in step.imports)
    env = environment({m for step in steps for m in step.imports} | _imported(own), parts, request.lock)
    proof = evidence.collect(package, steps, delivered)
    return Plan(
        name=request.name,
        package=package,
        steps=tuple(steps),
        parameters=tuple(_parameters(drafts)),
        outputs={name: flows.step_of[maker] for name, maker in delivered.items()},
        environment=env,
        schedule=request.schedule,
        expected=proof.expected,
        files={**files, **{f"src/{path}": data for path, data in own.items()}, **proof.files},
        notes=tuple(dict.fromkeys((*_left_out(looks, cells), *evidence.notes, *proof.notes))),
    )


def _live(recording: Recording, request: Request, graph: Graph, looks: choosing.Looked) -> list[str]:
    if request.outputs is None:
        return [n for n in recording.namespace if not n.startswith("_")]
    made = {n for e in recording.history for n in e.writes}
    for name in request.outputs:
        if name not in recording.namespace or name not in made:
            raise UserError(f"no cell made an output named {name!r}: the notebook has {_names(made)}")
        if (name, graph.last.get(name)) in looks.values:
            raise UserError(
                f"the output {name!r} comes from what a magic of this notebook showed; a bundle has no notebook"
            )
    return list(request.outputs)


def _left_out(looks: choosing.Looked, cells: Sequence[CodeCell | None]) -> list[str]:
    return [
        f"{choosing.where(position, cells)} is left out: it works with what a magic of the notebook showed"
        for position in sorted(looks.executions)
        if cells[position] is not None
    ]


def _imported(own: Mapping[str, bytes]) -> frozenset[str]:
    return frozenset(m for path, data in own.items() if path.endswith(".py") for m in top_modules(data.decode()))


def _names(made: set[str]) -> str:
    shown = sorted(n for n in made if not n.startswith((HIDDEN, "_")))
    return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "") if shown else "no variables"


def _taking(execution: Execution, magics: Magics) -> Execution:
    """Add what `--in` names to what the cell was seen to read."""
    inputs = magics.declared(execution).inputs
    return replace(execution, reads=execution.reads | inputs) if inputs else execution


def _part(graph: Graph, position: int, cells: Sequence[CodeCell | None], magics: Magics) -> Part:
    execution = graph.history[position]
    done = translate(execution, magics, choosing.where(position, cells))
    declared, cell = magics.declared(execution), cells[position]
    parameters = dict(declared.parameters)
    if "parameters" in (cell.tags if cell else execution.tags):
        parameters |= facts(to_python(execution.body)).literals
    return Part(position, execution, done, facts(done.text), cell, parameters, declared.outputs)


def _check_born(parts: Parts, kept: Sequence[int], cells: Sequence[CodeCell | None], recording: Recording) -> None:
    """Refuse what the record cannot repeat: a value that was there before recording began."""
    for position in kept:
        for name in sorted(parts.graph.unborn(position)):
            if not name.startswith(HIDDEN) and name in recording.before:
                raise UserError(
                    f"{choosing.where(position, cells)} uses {name!r}, which was made before "
                    "`%load_ext mlops_jupyter`: restart the kernel, load the extension first and run the notebook again"
                )


def _rename_clashes(parts: Parts, groups: list[Group]) -> None:
    """A step's function must not hide an import or a definition of the same name in its own module."""
    bound = {n for g in groups for m in g.members for n in parts[m].facts.writes if parts.is_code(Need(n, m))}
    taken = {g.name for g in groups}
    for each in groups:
        while each.name in bound or each.name == modules.DEFINITIONS:
            each.name = f"{each.name}_step"
            while each.name in taken:
                each.name += "_"
            taken.add(each.name)


class _Flows:
    """Which values cross from step to step, in which order and company. Answers; never changes."""

    def __init__(self, parts: Parts, drafts: Sequence[Draft]) -> None:
        self.parts = parts
        self.drafts = [d for d in drafts if not d.empty]
        self.step_of = {member: d.name for d in drafts for member in d.members}
        self.taken: dict[str, set[str]] = {}
        for done in self.drafts:
            for name, maker in (*done.inputs.items(), *self.hidden(done).items()):
                if maker is not None:
                    self.taken.setdefault(self.step_of[maker], set()).add(name)

    def gives(self, done: Draft, name: str) -> bool:
        """Whether a step's author lets it give a name: `--out` names all it gives, if it is there."""
        said = [part.outputs for m in done.members if (part := self.parts[m]).outputs is not None]
        return not said or name.startswith(HIDDEN) or any(name in outputs for outputs in said)

    def hidden(self, done: Draft) -> dict[str, int | None]:
        """Hidden variables that a step takes, with who made each; None: it was there before the first step.

        What a cell did that has no step (imports, `%matplotlib inline`) counts as never done: a bundle has no screen.
        """
        steps = {d.name for d in self.drafts}
        found: dict[str, int | None] = {}
        written: set[str] = set()
        for member in done.members:
            made = self.parts.graph.producers[member]
            for name in sorted({*self.parts.graph.history[member].reads, *made}):
                if name.startswith(HIDDEN) and name not in written and name not in found:
                    maker = made.get(name)
                    if maker is None or maker not in self.parts or self.step_of[maker] not in steps:
                        found[name] = None
                    elif maker not in done.members:
                        found[name] = maker
            written |= {n for n in self.parts.graph.history[member].writes if n.startswith(HIDDEN)}
        return found

    def values(self, done: Draft) -> dict[str, int]:
        """Values that a step makes, with the last of its executions that made each."""
        found: dict[str, int] = {}
        for member in done.members:
            part = self.parts[member]
            for name in part.execution.writes:
                if not (name.startswith(HIDDEN) or self.parts.is_code(Need(name, member)) or name in part.parameters):
                    found[name] = member
            for name in part.execution.deletes:
                found.pop(name, None)
        return found

    def outputs(self, done: Draft, delivered: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
        """Groups of variables that leave a step: those that share objects together, each hidden one alone."""
        taken = self.taken.get(done.name, set())
        kept_in = sorted(n for n in taken if not self.gives(done, n))
        if kept_in:
            user = next(d.name for d in self.drafts if kept_in[0] in d.inputs and d is not done)
            raise UserError(
                f"step {user!r} takes {kept_in[0]!r} from step {done.name!r}, whose --out leaves it out: add it there"
            )
        made = self.values(done)
        leaving = [n for n, maker in made.items() if n in taken or delivered.get(n) in done.members]
        visible = modules.by_appearance(done.body, leaving)
        hidden = sorted(n for n in taken if n.startswith(HIDDEN))
        groups: list[set[str]] = [{n} for n in visible]
        for member in done.members:
            for sharing in self.parts[member].execution.groups:
                tied = [g for g in groups if g & sharing]
                if len(tied) > 1 and self._still(sharing, member, done):
                    groups = [g for g in groups if g not in tied] + [set().union(*tied)]
        ordered = sorted((sorted(g, key=visible.index) for g in groups), key=lambda g: visible.index(g[0]))
        return (*map(tuple, ordered), *((n,) for n in hidden))

    def _still(self, sharing: frozenset[str], member: int, done: Draft) -> bool:
        """Whether no later execution of the step bound a name of the set to something that no longer shares."""
        later = [m for m in done.members if m > member]
        return all(
            not (self.parts[m].execution.writes.keys() & sharing)
            or any(sharing & g for g in self.parts[m].execution.groups)
            for m in later
        )


def _delivered(flows: _Flows, evidence: Evidence, request: Request) -> dict[str, int]:
    """Choose what leaves the pipeline: name -> the execution that made it."""
    last: dict[str, int] = {}
    for done in flows.drafts:
        for name, maker in flows.values(done).items():
            last[name] = max(maker, last.get(name, maker))
    owners = {name: done for done in flows.drafts for name in flows.values(done) if last[name] in done.members}
    if request.outputs is not None:
        for name in request.outputs:
            if name in last and not flows.gives(owners[name], name):
                raise UserError(f"the output {name!r} is not among what --out of step {owners[name].name!r} names")
            if name not in last:
                raise UserError(
                    f"{name!r} is an import, a definition or a parameter, not a value: it cannot be an output"
                )
        chosen = {name: last[name] for name in request.outputs}
    else:
        newest = flows.parts.graph.last
        chosen = {
            name: maker
            for name, maker in last.items()
            if not name.startswith("_")
            and newest.get(name) == maker
            and flows.gives(owners[name], name)
            and name not in flows.taken.get(flows.step_of[maker], set())
        }
    return evidence.deliverable(chosen, explicit=request.outputs is not None)


def _steps(
    parts: Parts,
    groups: Sequence[Group],
    drafts: Sequence[Draft],
    flows: _Flows,
    delivered: Mapping[str, int],
    package: str,
) -> tuple[list[Step], dict[str, bytes]]:
    """Write every step's module, format them together, and put them into the plan's words."""
    shared = _shared(flows.drafts)
    texts: dict[str, str] = {}
    runtime_of: dict[str, list[str]] = {}
    outputs = {d.name: flows.outputs(d, delivered) for d in flows.drafts}
    for done in flows.drafts:
        returns = [n for g in outputs[done.name] for n in g if not n.startswith(HIDDEN)]
        runtime = [use for m in done.members for use in parts[m].translation.runtime]
        runtime_of[done.name] = runtime
        texts[done.name] = modules.write(done, parts, package, _doc(parts, done), returns, shared, runtime)
    if shared:
        imports = dict.fromkeys(text for d in flows.drafts for text in d.imports)
        bodies = [modules.definition(parts, need) for need in sorted(shared, key=lambda n: modules.place(parts, n))]
        texts[modules.DEFINITIONS] = (
            '"""Functions and classes that several steps use."""\n' + "".join(imports) + "\n\n".join(bodies)
        )
    formatted = format_all(texts)
    common = formatted.pop(modules.DEFINITIONS, "")
    files = {f"src/{package}/{modules.DEFINITIONS}.py": common.encode()} if common else {}
    notes = {g.name: tuple(g.notes) for g in groups}
    steps = []
    for done in flows.drafts:
        text = formatted[done.name]
        uses = "".join(modules.definition(parts, n) for n in done.hoisted if n in shared)
        hidden = {n: flows.step_of[m] if m is not None else INITIAL for n, m in flows.hidden(done).items()}
        steps.append(
            Step(
                name=done.name,
                version=_version(text, uses),
                module=text,
                inputs={**{n: flows.step_of[m] for n, m in done.inputs.items()}, **hidden},
                outputs=outputs[done.name],
                parameters=tuple(done.parameters),
                imports=tuple(sorted((top_modules(text) | (top_modules(common) if uses else set())) - {package})),
                cells=tuple(parts[m].execution.cell or f"{c.number}" for m in done.members if (c := parts[m].cell)),
                executions=tuple(done.members),
                always=any(not use.startswith("display:") for use in runtime_of[done.name]),
                notes=tuple(dict.fromkeys((*notes[done.name], *(n for m in done.members for n in _doubts(parts[m]))))),
            )
        )
    return _in_order(steps), files


CARRIED = (CauseKind.UNSEEDED,)
"""What may make values differ elsewhere and cannot in a bundle: random states cross from step to step."""


def _doubts(part: Part) -> list[str]:
    """What capture was not sure of, and what in the text may give another value next time."""
    causes = [f"{cause.kind.value}: `{cause.text}`" for cause in part.facts.causes if cause.kind not in CARRIED]
    return [*part.execution.notes, *causes]


def _shared(drafts: Sequence[Draft]) -> dict[Need, str]:
    """Definitions that several steps use, and classes, whose instances must find them in one place."""
    users: dict[Need, int] = {}
    versions: dict[str, set[int]] = {}
    for done in drafts:
        for need in done.hoisted:
            users[need] = users.get(need, 0) + 1
            versions.setdefault(need.name, set()).add(need.maker)
    return {need: need.name for need, count in users.items() if count > 1 and len(versions[need.name]) == 1}


def _version(text: str, uses: str) -> str:
    return hashlib.blake2b(f"step:1\n{normalised(text)}\n{normalised(uses)}".encode(), digest_size=16).hexdigest()


def _doc(parts: Parts, done: Draft) -> str:
    headings, prose = [], []
    for member in done.members:
        cell = parts[member].cell
        if cell is not None:
            if cell.heading and cell.heading not in headings:
                headings.append(cell.heading)
            if cell.prose and cell.prose not in prose:
                prose.append(cell.prose)
    title = ". ".join(headings).rstrip(".") + "." if headings else ""
    return "\n\n".join(filter(None, (title, *prose)))


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """Sort steps so that each comes after those it takes from, keeping the notebook's order otherwise."""
    from graphlib import TopologicalSorter

    place = {step.name: i for i, step in enumerate(steps)}
    by_name = {step.name: step for step in steps}
    sorter = TopologicalSorter({step.name: step.upstream for step in steps})
    sorter.prepare()
    ordered: list[Step] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=place.__getitem__)
        name = ready.pop(0)
        ordered.append(by_name[name])
        sorter.done(name)
    return ordered


def _parameters(drafts: Sequence[Draft]) -> list[Parameter]:
    found: dict[str, object] = {}
    for done in drafts:
        found.update(done.parameters)
    return [Parameter(name, default) for name, default in found.items()]


__all__ = ["UNKNOWN", "Request", "plan"]
