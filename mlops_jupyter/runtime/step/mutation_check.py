"""Check that a step left alone what later steps take from elsewhere: they would not see the change.

An export hands on whatever a step's text may change. This finds what no text shows: a library that changes its
argument, or an option, on some data only.

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import PipelineError
from ..fingerprints.fingerprint import fingerprint
from ..hashing import change_hasher
from ..hidden.names import FILE, HIDDEN
from ..hidden.watcher import HiddenStateWatcher
from ..model.pipeline import INITIAL, Pipeline, Step


class UnreturnedChangeError(PipelineError):
    """A step changed something that it does not hand on, and that a later step takes as it was before."""


class MutationCheck:
    """Compares what a step must leave alone before and after its function is called."""

    def __init__(self, pipeline: Pipeline, step: Step) -> None:
        self._step = step
        self._takers = {**dict(_delivered(pipeline, step)), **dict(_taken_later(pipeline, step))}
        self._before: dict[str, object] = {}
        self._watcher: HiddenStateWatcher | None = None
        self._hasher = change_hasher()

    def begin(self, arguments: Mapping[str, Any]) -> None:
        """Remember how the arguments stand before the call."""
        self._before = {name: self._mark(arguments[name]) for name in self._takers if name in arguments}

    def _mark(self, value: object) -> object:
        return fingerprint(value, new=self._hasher)

    def watch(self) -> None:
        """Remember how the hidden variables stand, which have been set for the call."""
        if any(name.startswith(HIDDEN) for name in self._takers):
            self._watcher = HiddenStateWatcher()

    def end(self, arguments: Mapping[str, Any]) -> None:
        """Compare after the call.

        Raises
        ------
        UnreturnedChangeError
            Something has changed.
        """
        changed: list[str] = []
        if self._watcher is not None:
            changed += sorted(self._watcher.changed() & self._takers.keys())
            self._watcher.close()
        changed += [name for name, before in self._before.items() if self._mark(arguments[name]) != before]
        if changed:
            name = changed[0]
            raise UnreturnedChangeError(
                f"step {self._step.name!r} changed {_shown(name)}, which {self._takers[name]} as it was before: "
                f"put both into one step (%%pipeline {self._step.name}), or let the cell bind what it changes anew"
            )


def _taken_later(pipeline: Pipeline, step: Step) -> Iterator[tuple[str, str]]:
    """Yield what later steps take from a step before this one, each with who takes it.

    What a step that may run at the same time makes is left out: nobody can tell which of the two changed it.
    """
    before = _upstream(pipeline, step)
    at = next(number for number, one in enumerate(pipeline.steps) if one.name == step.name)
    for later in reversed(pipeline.steps[at + 1 :]):
        for name, maker in later.inputs.items():
            if name.startswith(FILE) or (maker != INITIAL and maker not in before):
                continue  # steps that run at the same time lay their files in one folder
            if not name.startswith(HIDDEN):
                shared = _group(pipeline, maker, name) & {*step.arguments} - {*step.makes}
                names = {one for one in shared if step.inputs[one] == maker}
            else:
                names = {name} if step.inputs.get(name, maker) == maker and name not in step.makes else set()
                names = {one for one in names if _settled(pipeline, one, before)}
            yield from ((one, f"step {later.name!r} takes from {_source(maker)}") for one in names)


def _delivered(pipeline: Pipeline, step: Step) -> Iterator[tuple[str, str]]:
    """Yield the step's inputs that the pipeline delivers as an earlier step made them."""
    for name, maker in pipeline.outputs.items():
        if step.inputs.get(name) == maker:
            yield name, f"the pipeline delivers from {_source(maker)}"


def _group(pipeline: Pipeline, maker: str, name: str) -> set[str]:
    """Return the names that share objects with one, as its maker stored them: itself among them."""
    groups = pipeline.step(maker).outputs if maker != INITIAL else ()
    return next(({*group} for group in groups if name in group), {name})


def _settled(pipeline: Pipeline, name: str, before: set[str]) -> bool:
    """Say whether every step that makes a name comes before this one."""
    return all(step.name in before for step in pipeline.steps if name in step.makes)


def _upstream(pipeline: Pipeline, step: Step) -> set[str]:
    names: set[str] = set()
    todo = list(step.upstream)
    while todo:
        name = todo.pop()
        if name not in names:
            names.add(name)
            todo += pipeline.step(name).upstream
    return names


def _source(maker: str) -> str:
    return f"step {maker!r}" if maker != INITIAL else "the beginning"


def _shown(name: str) -> str:
    return name if name.startswith(HIDDEN) else repr(name)
