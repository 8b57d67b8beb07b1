"""The pipeline as data: its steps, the dataflow between them, and the cache key of a step."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Any

from ..errors import PipelineError
from ..hashing import cache_key_digest
from ..hidden.names import FILE, HIDDEN

INITIAL = ""
"""The step name that stands for the state before the first step ran."""


@dataclass(frozen=True)
class Step:
    """A step of a pipeline: a function that takes variables as arguments and returns others.

    Attributes
    ----------
    name : unique in the pipeline.
    function : "package.steps.load:load".
    version : hash of the step's source and of the definitions that it uses.
    inputs : variable -> step that makes the value taken (`INITIAL` if none does).
    outputs : groups of variables; the variables of a group share objects and are stored as one artifact.
    parameters : names of the pipeline's parameters that the function takes.
    packages : top-level modules that the step imports.
    retries : how often a failed step is retried.
    backoff : seconds before the first retry; each later pause is twice as long.
    timeout : seconds after which the step is killed with all processes that it started; None for no limit.
    always : whether the step is never taken from the cache (its purpose is its effect: registering, judging).
    after : further steps that it waits for, beside those whose values it takes.
    volatile : what it takes from outside and no cache key can hold, for people: then it is not taken from the cache
        either, and what follows it only if what it gives is the same.
    cache : whether its author wants it taken from the cache even so.
    source : digest of the files of its code as exported (see `source_digest`); "" if it is not known.
    cpu, memory, gpu : processors, bytes and devices that it requests of a cluster; None for the cluster's default.
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
    volatile: tuple[str, ...] = ()
    cache: bool = False
    source: str = ""
    cpu: float | None = None
    memory: int | None = None
    gpu: int | None = None

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the steps that this step comes after, each once, in order."""
        return tuple(dict.fromkeys([*(step for step in self.inputs.values() if step != INITIAL), *self.after]))

    @property
    def arguments(self) -> tuple[str, ...]:
        """The inputs that the function takes as keyword arguments: those that are not hidden variables."""
        return tuple(name for name in self.inputs if not name.startswith(HIDDEN))

    @property
    def makes(self) -> tuple[str, ...]:
        """All variables that the step makes, with hidden variables, in the order of `outputs`."""
        return tuple(name for group in self.outputs for name in group)

    @property
    def returns(self) -> tuple[str, ...]:
        """The variables that the function returns: those that the step makes, without hidden variables."""
        return tuple(name for name in self.makes if not name.startswith(HIDDEN))


@dataclass(frozen=True)
class Pipeline:
    """A whole pipeline.

    Attributes
    ----------
    package : name of the Python package that holds the steps.
    parameters : name -> default (a JSON value).
    outputs : delivered variable -> step that makes it.
    environment : environment variables that are set for every step: name -> value.
    secrets : names of environment variables that must be set before a run begins; no file holds their values.
    cache_volatile : whether volatile steps are taken from the cache like all others.
    folder : where the steps' working directory stands in the tree of files that they see, as the notebook's folder
        stands in its project ("notebooks", of steps that read `../data/raw.csv`); "" for its root.
    """

    name: str
    package: str
    steps: tuple[Step, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    cache_volatile: bool = False
    folder: str = ""

    def caches(self, step: Step) -> bool:
        """Return whether a step is taken from the cache even if it is volatile."""
        return self.cache_volatile or step.cache

    def step(self, name: str) -> Step:
        """Return the step of a name, or raise `PipelineError`, which lists the names of all steps."""
        for step in self.steps:
            if step.name == name:
                return step
        raise PipelineError(f"no step {name!r}: the pipeline has {', '.join(s.name for s in self.steps) or 'none'}")

    def delivered(self, step: str) -> tuple[str, ...]:
        """Return the variables of a step that the pipeline delivers."""
        return tuple(name for name, maker in self.outputs.items() if maker == step)

    def downstream(self, name: str) -> frozenset[str]:
        """Return the names of the steps that depend on a step, directly or indirectly, and its own name."""
        found = {name}
        for step in order(self):
            if found.intersection(step.upstream):
                found.add(step.name)
        return frozenset(found)


def order(pipeline: Pipeline) -> tuple[Step, ...]:
    """Return the steps in topological order; among the steps that may come next, the first in the pipeline does.

    Raises
    ------
    PipelineError
        Two steps have the same name, nothing makes an input, output or parameter, or the steps form a cycle.

    Examples
    --------
    >>> a, b = Step("a", "p:a", "1", {"x": "b"}), Step("b", "p:b", "1", outputs=(("x",),))
    >>> [step.name for step in order(Pipeline("p", "p", (a, b)))]
    ['b', 'a']
    """
    for complaint in _complaints(pipeline):
        raise PipelineError(f"pipeline {pipeline.name!r}: {complaint}")
    from graphlib import CycleError

    by_name = {step.name: step for step in pipeline.steps}
    try:
        return tuple(by_name[name] for name in topological_order({n: step.upstream for n, step in by_name.items()}))
    except CycleError as error:
        cycle = ", ".join(map(repr, sorted(set(error.args[1]), key=list(by_name).index)))
        raise PipelineError(
            f"pipeline {pipeline.name!r}: the steps {cycle} wait for each other; export again"
        ) from None


def topological_order(upstream: Mapping[str, Iterable[str]]) -> list[str]:
    """Return step names in topological order; among those that may come next, the first in the mapping does.

    Parameters
    ----------
    upstream : step -> the steps that come before it.

    Raises
    ------
    graphlib.CycleError
        The steps form a cycle, which is the error's second argument.

    Examples
    --------
    >>> topological_order({"report": ["fit"], "load": [], "fit": ["load"]})
    ['load', 'fit', 'report']
    """
    from graphlib import TopologicalSorter  # here, since a notebook's kernel loads this module and sorts nothing

    names = list(upstream)
    place = {name: number for number, name in enumerate(names)}
    sorter = TopologicalSorter(upstream)
    sorter.prepare()
    ordered: list[str] = []
    ready: list[int] = []  # a heap of places in the mapping
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, place[name])
        ordered.append(names[heappop(ready)])
        sorter.done(ordered[-1])
    return ordered


def data_files(inputs: Mapping[str, str]) -> list[str]:
    """Return the paths of the data files among a step's inputs: the files that are there before the first step.

    Examples
    --------
    >>> data_files({"~file:a.csv": INITIAL, "~file:b.csv": "load", "rows": "load"})
    ['a.csv']
    """
    return [name.removeprefix(FILE) for name, maker in inputs.items() if maker == INITIAL and name.startswith(FILE)]


def with_limits(pipeline: Pipeline, retries: int | None, timeout: float | None) -> Pipeline:
    """Return the pipeline with new limits for every step, `timeout` in seconds; None leaves a limit as it is."""
    limits = {"retries": retries, "timeout": timeout}
    changes: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    return replace(pipeline, steps=tuple(replace(step, **changes) for step in pipeline.steps))


def _complaints(pipeline: Pipeline) -> Iterator[str]:
    """Yield what is wrong with a pipeline, except cycles."""
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
    """Return step -> names of all steps upstream of it."""
    names: dict[str, frozenset[str]] = {}
    for step in order(pipeline):
        above: Iterable[frozenset[str]] = (names[name] | {name} for name in step.upstream)
        names[step.name] = frozenset().union(*above)
    return names


def cache_key(
    step: Step,
    inputs: Mapping[str, str],
    parameters: Mapping[str, object],
    packages: Mapping[str, str],
    environment: Mapping[str, str],
) -> str:
    """Return the cache key of a step: the hash of everything that its result depends on.

    Parameters
    ----------
    inputs : variable -> digest of the artifact that holds it, with hidden variables.
    parameters : values of all the pipeline's parameters; only those that the step takes are hashed.
    packages : module -> version of the distribution that provides it (see `package_versions.versions`).
    environment : environment variables that are set for every step.
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
