"""The values of a pipeline's parameters, which travel as JSON: in a run's record and on command lines."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..errors import PipelineError
from .pipeline import Pipeline


def parameter_values(pipeline: Pipeline, given: Mapping[str, object]) -> dict[str, object]:
    """Return the value of every parameter; raise `PipelineError` for one that the pipeline does not have."""
    for name in given:
        if name not in pipeline.parameters:
            raise PipelineError(f"no parameter {name!r}: the pipeline has {', '.join(pipeline.parameters) or 'none'}")
    return {**pipeline.parameters, **given}


def as_default(value: object, default: object) -> object:
    """Return a value that was JSON, with the types that JSON lacks taken from a default: tuples, keys that are numbers.

    Examples
    --------
    >>> as_default({"3": [1, 2]}, {0: (5,)})
    {3: (1, 2)}
    """
    if isinstance(value, list) and isinstance(default, list | tuple):
        items = [
            as_default(item, default[min(at, len(default) - 1)] if default else None) for at, item in enumerate(value)
        ]
        return tuple(items) if isinstance(default, tuple) else items
    if isinstance(value, dict) and isinstance(default, dict) and default:
        kinds = {type(key) for key in default}
        kind = kinds.pop() if kinds in ({int}, {float}) else str
        some = next(iter(default.values()))
        try:
            return {(key := kind(text)): as_default(item, default.get(key, some)) for text, item in value.items()}
        except ValueError:  # a key that is no number, where those of the default are
            return value
    return value


def is_json(value: object) -> bool:
    """Say whether a parameter's value comes back from JSON as it was."""
    try:
        back = as_default(json.loads(json.dumps(value)), value)
    except (TypeError, ValueError):
        return False
    return repr(back) == repr(value)
