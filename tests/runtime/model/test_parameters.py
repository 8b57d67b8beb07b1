"""Parameters travel as JSON, and arrive with the types that their defaults have."""

from __future__ import annotations

import json

import pytest

from mlops_jupyter.runtime.cli.parameters import parse_value
from mlops_jupyter.runtime.model.parameters import as_default, is_json

ROUND_TRIPS = {
    "a number": 3,
    "a tuple": (1, "a"),
    "tuples in a tuple": ((0.1, 0.9), (0.5, 0.5)),
    "tuples in a list": [(1, 2), (3, 4)],
    "keys that are numbers": {0: 10, 1: 20},
    "fractions as keys": {0.5: "a"},
    "tuples in a dict": {"a": (1, 2), "b": [3]},
    "nothing": None,
    "an empty tuple": (),
}


@pytest.mark.parametrize("value", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert is_json(value)
    assert repr(as_default(json.loads(json.dumps(value)), value)) == repr(value)


NEW = {
    "a longer tuple": ("[1, 2, 3]", (1, 2), (1, 2, 3)),
    "more rows": ("[[1, 2], [3, 4], [5, 6]]", ((1, 2), (3, 4)), ((1, 2), (3, 4), (5, 6))),
    "another key": ('{"7": [1]}', {0: (1, 2)}, {7: (1,)}),
    "a key that is no number": ('{"a": 1}', {0: 1}, {"a": 1}),
    "a dict without keys": ('{"0": 1}', {}, {"0": 1}),
}


@pytest.mark.parametrize(("text", "default", "wanted"), NEW.values(), ids=NEW)
def test_a_new_value_has_the_types_of_the_default(text: str, default: object, wanted: object) -> None:
    assert parse_value("n", text, default) == wanted


@pytest.mark.parametrize("value", [{1, 2}, b"a", 1j, {0: 1, "a": 2}, {(1, 2): 3}], ids=repr)
def test_what_json_lacks_is_no_parameter(value: object) -> None:
    assert not is_json(value)
