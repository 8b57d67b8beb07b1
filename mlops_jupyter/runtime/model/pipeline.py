"""The pipeline as data: steps, what flows between them, and what a step's result depends on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import Any

from ..errors import PipelineError
from ..hashing import cache_key_digest

INITIAL = ""
"""The step name of a value that was there before the first step ran."""

HIDDEN = "~"
"""First character of hidden variables: random states, environment, options, files."""

FILE = "~file:"
"""Prefix of the hidden variables that are files."""


@dataclass(frozen=True)
class Step:
    """A named unit of a pipeline: a function with arguments in and values out.

    Attributes
    ----------
    name : unique in the pipeline.
    function : "package.steps.load:load".
    version : hash of the step's source with the definitions it uses.
    inputs : variable -> step that made the value it takes (`INITIAL` if none did).
    outputs : groups of variables; a group of several shares objects and crosses as one artifact.
    parameters : names of the pipeline's parameters that the function takes.
    packages : top-level modules that the step imports.
    retries : how often a failed step is tried again.
    backoff : seconds before the first of them; each later pause is twice as long.
    timeout : seconds after which it is killed with all that it started; None for never.
    always : never taken from the cache (a step whose point is its effect: registering, judging).
    after : steps that it waits for beside those whose values it takes.
    source : digest of the files that hold its code, as they were exported (see `sources`); "" if that is not known.
    cpu, memory, gpu : processors, bytes and devices that it asks of a cluster; None for the cluster's default.
    """

    name: str
    function: str
    version: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[tuple[str, ...], ...] = ()
    parameters: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    retries: int = 0
    backoff: float = 0.5
    timeout: float | None = None
    always: bool = False
    after: tuple[str, ...] = ()
    source: str = ""
    cpu: float | None = None
    memory: int | None = None
    gpu: int | None = None

    @property
    def upstream(self) -> tuple[str, ...]:
        """Names of the steps that this one comes after, each once, in order."""
        return tuple(dict.fromkeys([*(step for step in self.inputs.values() if step != INITIAL), *self.after]))

    @property
    def arguments(self) -> tuple[str, ...]:
        """Inputs that the function takes as keyword arguments: those that are not hidden."""
        return tuple(name for name in self.inputs if not name.startswith(HIDDEN))

    @property
    def makes(self) -> tuple[str, ...]:
        """Every variable that the step makes, hidden ones too, in the order of `outputs`."""
        return tuple(name for group in self.outputs for name in group)

    @property
    def returns(self) -> tuple[str, ...]:
        """Variables that the function returns: what it makes, without the hidden ones."""
        return tuple(name for name in self.makes if not name.startswith(HIDDEN))


@dataclass(frozen=True)
class Pipeline:
    """A pipeline, whole.

    Attributes
    ----------
    package : name of the Python package that holds the steps.
    parameters : name -> default (a JSON value).
    outputs : delivered variable -> step that makes it.
    environment : environment variables that are set for every step.
    secrets : environment variables that must be there before a run begins; no file holds their values.
    """

    name: str
    package: str
    steps: tuple[Step, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    def step(self, name: str) -> Step:
        """Return the step of that name, or raise `PipelineError` naming those there are."""
        for step in self.steps:
            if step.name == name:
                return step
        raise PipelineError(f"no step {name!r}: the pipeline has {', '.join(s.name for s in self.steps) or 'none'}")

    def delivered(self, step: str) -> tuple[str, ...]:
        """Variables of that step that the pipeline delivers."""
        return tuple(name for name, maker in self.outputs.items() if maker == step)

    def downstream(self, name: str) -> frozenset[str]:
        """Names of the steps that depend on that one, directly or not, with itself."""
        found = {name}
        for step in order(self):
            if found.intersection(step.upstream):
                found.add(step.name)
        return frozenset(found)


def order(pipeline: Pipeline) -> tuple[Step, ...]:
    """Return the steps with each after those it depends on, otherwise as written.

    Raises
    ------
    PipelineError
        Two steps of one name; an input, output or parameter that nothing makes; a circle.

    Examples
    --------
    >>> a, b = Step("a", "p:a", "1", {"x": "b"}), Step("b", "p:b", "1", outputs=(("x",),))
    >>> [step.name for step in order(Pipeline("p", "p", (a, b)))]
    ['b', 'a']
    """
    for complaint in _complaints(pipeline):
        raise PipelineError(f"pipeline {pipeline.name!r}: {complaint}")
    place = {step.name: number for number, step in enumerate(pipeline.steps)}
    sorter = TopologicalSorter({step.name: step.upstream for step in pipeline.steps})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = ", ".join(map(repr, sorted(set(error.args[1]), key=place.__getitem__)))
        raise PipelineError(
            f"pipeline {pipeline.name!r}: the steps {circle} wait for each other; export again"
        ) from None
    ordered: list[Step] = []
    ready: list[int] = []  # a heap: of the steps that may come next, the first as written does
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, place[name])
        ordered.append(pipeline.steps[heappop(ready)])
        sorter.done(ordered[-1].name)
    return tuple(ordered)


def with_limits(pipeline: Pipeline, retries: int | None, timeout: float | None) -> Pipeline:
    """Return the pipeline with other limits for every step; None leaves those that the steps have."""
    limits = {"retries": retries, "timeout": timeout}
    changes: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    return replace(pipeline, steps=tuple(replace(step, **changes) for step in pipeline.steps))


def _complaints(pipeline: Pipeline) -> Iterator[str]:
    """What is wrong with a pipeline, apart from circles."""
    steps = {step.name: step for step in pipeline.steps}
    names = [step.name for step in pipeline.steps]
    yield from (f"two steps are called {name!r}" for name in steps if names.count(name) > 1)
    for step in pipeline.steps:
        for variable, maker in step.inputs.items():
            if maker == INITIAL and not variable.startswith(HIDDEN):
                yield f"step {step.name!r} needs {variable!r}, which no step makes"
            elif maker != INITIAL and maker not in steps:
                yield f"step {step.name!r} takes {variable!r} from {maker!r}, which is no step of it"
            elif maker != INITIAL and variable not in steps[maker].makes:
                yield f"step {step.name!r} takes {variable!r} from {maker!r}, which does not make it"
        yield from (
            f"step {step.name!r} waits for {name!r}, which is no step of it" for name in step.after if name not in steps
        )
        yield from (
            f"step {step.name!r} takes the parameter {name!r}, which the pipeline does not have"
            for name in step.parameters
            if name not in pipeline.parameters
        )
    for variable, maker in pipeline.outputs.items():
        if maker not in steps or variable not in steps[maker].makes:
            yield f"it delivers {variable!r} from {maker!r}, which does not make it"


def ancestors(pipeline: Pipeline) -> dict[str, frozenset[str]]:
    """Return for each step the names of all those that come before it."""
    found: dict[str, frozenset[str]] = {}
    for step in order(pipeline):
        above: Iterable[frozenset[str]] = (found[name] | {name} for name in step.upstream)
        found[step.name] = frozenset().union(*above)
    return found


def cache_key(
    step: Step,
    inputs: Mapping[str, str],
    parameters: Mapping[str, object],
    packages: Mapping[str, str],
    environment: Mapping[str, str],
) -> str:
    """Return the hash of all that a step's result depends on.

    Parameters
    ----------
    inputs : variable -> digest of the artifact that holds it; hidden variables too.
    parameters : values of all the pipeline's parameters; only those that the step takes count.
    packages : module -> version of the distribution that provides it (see `installed.versions`).
    """
    facts = {
        "version": step.version,
        "function": step.function,
        "inputs": dict(inputs),
        "outputs": step.outputs,
        "parameters": {name: parameters[name] for name in step.parameters},
        "packages": dict(packages),
        "environment": dict(environment),
        "python": [sys.implementation.name, *sys.version_info[:3]],
    }
    return cache_key_digest(facts)
