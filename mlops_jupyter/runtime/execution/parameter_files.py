"""Files that parameters name: where another value of a parameter names another file, the steps take that one as input.

So it is laid where the code looks for it, and its content is part of the cache keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import PipelineError
from ..hidden.names import FILE
from ..model.events import ExecutionRequest
from ..model.pipeline import INITIAL, Pipeline, data_files
from ..step.initial import Initial


def with_parameter_files(request: ExecutionRequest) -> ExecutionRequest:
    """Return the request with the files that its parameters name among the inputs of the steps that may read them.

    Those are the steps that take the parameter, and all after them.

    Raises
    ------
    PipelineError
        A parameter that by default names a data file names one that is nowhere.
    """
    pipeline = request.pipeline
    read = {path for step in pipeline.steps for path in data_files(step.inputs)}
    initial = Initial(pipeline, request.data)
    wanted: dict[str, dict[str, str]] = {}
    for name, default in pipeline.parameters.items():
        value = request.parameters[name]
        if value == default or not isinstance(value, str | int):
            continue
        paths = [path for path in _paths(str(default), str(value), read) if initial.find(path)]
        if default in read and str(value) not in paths and "://" not in str(value):
            raise PipelineError(
                f"no file {str(value)!r}, which the parameter {name!r} names: looked for in "
                f"{f'{str(request.data)!r} (--data), ' if request.data else ''}the bundle and {str(Path.cwd())!r}"
            )
        for step in _takers(pipeline, name) if paths else ():
            wanted.setdefault(step, {}).update(dict.fromkeys((FILE + path for path in paths), INITIAL))
    return replace(request, pipeline=_with_inputs(pipeline, wanted)) if wanted else request


def _paths(default: str, value: str, read: set[str]) -> Iterator[str]:
    """Yield the paths that a value may stand for: itself, or data files with it in the place of the default."""
    yield value
    for path in sorted(read) if default else ():
        start = path.find(default)
        while start >= 0:
            yield path[:start] + value + path[start + len(default) :]
            start = path.find(default, start + 1)
        yield path.replace(default, value)


def _takers(pipeline: Pipeline, parameter: str) -> set[str]:
    takers = (step.name for step in pipeline.steps if parameter in step.parameters)
    return {name for taker in takers for name in pipeline.downstream(taker)}


def _with_inputs(pipeline: Pipeline, wanted: Mapping[str, Mapping[str, str]]) -> Pipeline:
    steps = (replace(step, inputs={**wanted.get(step.name, {}), **step.inputs}) for step in pipeline.steps)
    return replace(pipeline, steps=tuple(steps))
