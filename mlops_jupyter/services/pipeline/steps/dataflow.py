"""What flows: which values cross from step to step, in which company, and which leave the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_jupyter.analysis.graph import DRAWING, SETTINGS
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import HIDDEN
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCodes
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft, by_appearance


class Dataflow:
    """Which values cross from step to step, in which order and company. Answers; never changes."""

    def __init__(self, parts: CellCodes, drafts: Sequence[StepDraft]) -> None:
        self.parts = parts
        self.drafts = [d for d in drafts if not d.empty]
        self.step_of = {member: d.name for d in drafts for member in d.members}
        self.taken: dict[str, set[str]] = {}
        for done in self.drafts:
            for name, maker in (*done.inputs.items(), *self.hidden(done).items()):
                if maker is not None:
                    self.taken.setdefault(self.step_of[maker], set()).add(name)

    def gives(self, done: StepDraft, name: str) -> bool:
        """Whether a step's author lets it give a name: `--out` names all it gives, if it is there."""
        said = [part.outputs for m in done.members if (part := self.parts[m]).outputs is not None]
        return not said or name.startswith(HIDDEN) or any(name in outputs for outputs in said)

    def hidden(self, done: StepDraft) -> dict[str, int | None]:
        """Hidden variables that a step takes, with who made each; None: it was there before the first step.

        What a cell did that has no step (imports, `%matplotlib inline`) counts as never done: a bundle has no screen.
        """
        steps = {d.name for d in self.drafts}
        found: dict[str, int | None] = {}
        written: set[str] = set()
        for member in done.members:
            made = self.parts.graph.producers[member]
            for name in sorted({*self.parts.graph.history[member].reads, *made}):
                if name.startswith(HIDDEN) and name not in (SETTINGS, DRAWING, *written, *found):
                    maker = made.get(name)
                    if maker is None or maker not in self.parts or self.step_of[maker] not in steps:
                        found[name] = None
                    elif maker not in done.members:
                        found[name] = maker
            written |= {n for n in self.parts.graph.history[member].writes if n.startswith(HIDDEN)}
        return found

    def values(self, done: StepDraft) -> dict[str, int]:
        """Values that a step makes, with the last of its executions that made each."""
        found: dict[str, int] = {}
        for member in done.members:
            part = self.parts[member]
            for name in part.execution.writes:
                if name in part.translation.lost:
                    found.pop(name, None)
                elif not (
                    name.startswith(HIDDEN) or self.parts.is_code(Binding(name, member)) or name in part.parameters
                ):
                    found[name] = member
            for name in part.execution.deletes:
                found.pop(name, None)
        return found

    def outputs(self, done: StepDraft, delivered: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
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
        visible = by_appearance(done.body, leaving)
        hidden = sorted(n for n in taken if n.startswith(HIDDEN))
        groups: list[set[str]] = [{n} for n in visible]
        for member in done.members:
            for sharing in self.parts[member].execution.alias_groups:
                tied = [g for g in groups if g & sharing & taken]  # what is only delivered crosses to no step
                if len(tied) > 1 and self._still(sharing, member, done):
                    groups = [g for g in groups if g not in tied] + [set().union(*tied)]
        ordered = sorted((sorted(g, key=visible.index) for g in groups), key=lambda g: visible.index(g[0]))
        return (*map(tuple, ordered), *((n,) for n in hidden))

    def _still(self, sharing: frozenset[str], member: int, done: StepDraft) -> bool:
        """Whether no later execution of the step bound a name of the set to something that no longer shares."""
        later = [m for m in done.members if m > member]
        return all(
            not (self.parts[m].execution.writes.keys() & sharing)
            or any(sharing & g for g in self.parts[m].execution.alias_groups)
            for m in later
        )


def deliverable(flows: Dataflow, outputs: tuple[str, ...] | None) -> dict[str, int]:
    """Return the values that may leave the pipeline: name -> the execution that made it.

    Parameters
    ----------
    outputs : the names that the user chose; None: every step's last values that no other step takes.

    Raises
    ------
    UserError
        A chosen name is not among what its step gives, or is no value.
    """
    last: dict[str, int] = {}
    owners: dict[str, StepDraft] = {}
    for draft in flows.drafts:
        for name, maker in flows.values(draft).items():
            if maker > last.get(name, -1):
                last[name], owners[name] = maker, draft
    if outputs is not None:
        for name in outputs:
            if name in last and not flows.gives(owners[name], name):
                raise UserError(f"the output {name!r} is not among what --out of step {owners[name].name!r} names")
            if name not in last:
                raise UserError(
                    f"{name!r} is an import, a definition or a parameter, not a value: it cannot be an output"
                )
        return {name: last[name] for name in outputs}
    newest = flows.parts.graph.last
    return {
        name: maker
        for name, maker in last.items()
        if not name.startswith("_")
        and newest.get(name) == maker
        and flows.gives(owners[name], name)
        and name not in flows.taken.get(flows.step_of[maker], set())
    }
