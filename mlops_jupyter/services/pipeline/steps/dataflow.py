"""The dataflow: which values cross from step to step, which of them together, and which leave the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.hidden_names import DRAWING, FILE, HIDDEN, MODULE_STATE, SETTINGS
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCodes
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft, by_appearance


class Dataflow:
    """Which values cross from step to step, in which order, and which of them together. Never changes.

    Attributes
    ----------
    drafts : the steps that are not empty.
    step_of : position of an execution -> its step.
    taken : step -> names of its values and hidden variables that other steps read.
    """

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
        """Say whether a step may give a name to other steps: `--out`, where present, lists all it may give."""
        declared = [part.outputs for m in done.members if (part := self.parts[m]).outputs is not None]
        return not declared or name.startswith(HIDDEN) or any(name in outputs for outputs in declared)

    def hidden(self, done: StepDraft) -> dict[str, int | None]:
        """Return the hidden variables that a step reads, each with the position of its maker.

        The maker is None if the variable has its initial value. A cell without a step (imports, `%matplotlib inline`)
        counts as never run: a bundle has no screen. Temporary files that are just removed are none of them.
        """
        steps = {d.name for d in self.drafts}
        makers_of: dict[str, int | None] = {}
        written: set[str] = set()
        for member in done.members:
            producers = self.parts.graph.producers[member]
            for name in sorted({*self.parts.graph.history[member].reads, *producers}):
                if self.parts.discards(member, name):
                    continue
                if name.startswith(MODULE_STATE):
                    continue
                if name.startswith(HIDDEN) and name not in (SETTINGS, DRAWING, *written, *makers_of):
                    maker = producers.get(name)
                    if maker is None or maker not in self.parts or self.step_of[maker] not in steps:
                        makers_of[name] = None
                    elif maker not in done.members:
                        makers_of[name] = maker
            written |= {n for n in self.parts.graph.history[member].writes if n.startswith(HIDDEN)}
        return makers_of

    def discards_after(self, done: StepDraft) -> list[str]:
        """Return the steps whose temporary files a step removes: it takes nothing of them, but must wait for them."""
        producers = self.parts.graph.producers
        makers = [maker for m in done.members for n, maker in producers[m].items() if self.parts.discards(m, n)]
        return [step for maker in makers if (step := self.step_of.get(maker, done.name)) != done.name]

    def readers_before(self, done: StepDraft) -> list[str]:
        """Return the steps that read a file before this one changed it, and so must have ended when it does."""
        history, names = self.parts.graph.history, dict[str, None]()
        for member in done.members:
            files = {name for name in history[member].writes if name.startswith(FILE)}
            for other in self.drafts if files else ():
                if other is not done and any(m < member and files & history[m].reads for m in other.members):
                    names[other.name] = None
        return list(names)

    def values(self, done: StepDraft) -> dict[str, int]:
        """Return the values that a step makes, each with the position of the last execution that made it."""
        makers: dict[str, int] = {}
        for member in done.members:
            part = self.parts[member]
            for name in part.execution.writes:
                if name in part.translation.lost:
                    makers.pop(name, None)
                elif not (
                    name.startswith(HIDDEN) or self.parts.is_code(Binding(name, member)) or name in part.parameters
                ):
                    makers[name] = member
            for name in part.execution.deletes:
                makers.pop(name, None)
        return makers

    def outputs(self, done: StepDraft, delivered: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
        """Return the alias groups of variables that leave a step; each hidden variable is a group of its own."""
        taken = self.taken.get(done.name, set())
        withheld = sorted(n for n in taken if not self.gives(done, n))
        if withheld:
            user = next(d.name for d in self.drafts if withheld[0] in d.inputs and d is not done)
            raise UserError(
                f"step {user!r} takes {withheld[0]!r} from step {done.name!r}, whose --out leaves it out: add it there"
            )
        makers = self.values(done)
        leaving = [n for n, maker in makers.items() if n in taken or delivered.get(n) in done.members]
        leaving += [n for n in done.parameters if n not in makers and delivered.get(n) in done.members]
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
        """Say whether the names still share objects at the step's end: no later execution rebound one of them alone."""
        later = [m for m in done.members if m > member]
        return all(
            not (self.parts[m].execution.writes.keys() & sharing)
            or any(sharing & g for g in self.parts[m].execution.alias_groups)
            for m in later
        )


def deliverable(flows: Dataflow, outputs: tuple[str, ...] | None) -> dict[str, int]:
    """Return the values that may leave the pipeline: name -> position of the execution that made it.

    Parameters
    ----------
    outputs : the names that the user chose; None: the last values of every step that no other step takes.

    Raises
    ------
    UserError
        If a step may not give a chosen name, or the name is no value.
    """
    last: dict[str, int] = {}
    owners: dict[str, StepDraft] = {}
    for draft in flows.drafts:
        for name, maker in flows.values(draft).items():
            if maker > last.get(name, -1):
                last[name], owners[name] = maker, draft
    if outputs is not None:
        made = set(last)
        for draft in reversed(flows.drafts):
            for name in draft.parameters.keys() & set(outputs) - made:
                last[name], owners[name] = draft.members[-1], draft
        for name in outputs:
            if name in last and not flows.gives(owners[name], name):
                raise UserError(f"the output {name!r} is not among what --out of step {owners[name].name!r} names")
            if name not in last:
                raise UserError(
                    f"{name!r} is an import, a definition or a parameter that no step uses: it cannot be an output"
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
