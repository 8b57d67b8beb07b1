"""Read parameters from the words of a command line, and write them back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..errors import PipelineError
from ..model.parameters import as_default, parameter_values
from ..model.pipeline import Pipeline

CONSTANTS: dict[str, object] = {"True": True, "False": False, "None": None}
"""Python spellings that are accepted beside those of JSON."""


def parse_parameters(pipeline: Pipeline, given: Sequence[str]) -> dict[str, object]:
    """Read `name=value` words; a value is JSON (or True, False, None), else text, and must have the default's type.

    Examples
    --------
    >>> parse_parameters(Pipeline("p", "p", parameters={"n": 1, "name": "a"}), ["n=3", "name=7"])
    {'n': 3, 'name': '7'}
    """
    values: dict[str, object] = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals:
            raise PipelineError(f"{word!r} is no parameter: write -p NAME=VALUE")
        parameter_values(pipeline, {name: text})  # the name first: it is what is most often wrong
        values[name] = parse_value(name, text, pipeline.parameters[name])
    return values


def parse_value(name: str, text: str, default: object) -> object:
    """Read the value of one parameter; raise `PipelineError` if it does not have the default's type."""
    try:
        value = json.loads(text)
    except ValueError:
        value = CONSTANTS.get(text, text)
    if default is None:
        return value
    if isinstance(default, str):
        return value if isinstance(value, str) else text
    if isinstance(default, float) and type(value) is int:
        return float(value)
    value = as_default(value, default)
    if type(value) is not type(default):
        kind = type(default).__name__
        article = "an" if kind[0] in "aeiou" else "a"
        raise PipelineError(f"parameter {name!r} takes {article} {kind} (as in {format_value(default)}), not {text!r}")
    return value


def format_value(value: object) -> str:
    """Return a parameter's value as text to write after `name=`.

    Examples
    --------
    >>> [format_value(value) for value in (3, "a b", True, ("x",), None)]
    ['3', 'a b', 'true', '["x"]', 'null']
    """
    return value if isinstance(value, str) else json.dumps(value)
