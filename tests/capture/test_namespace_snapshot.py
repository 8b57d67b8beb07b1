"""How names stood before a cell, held against what a plain look at both moments says."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.capture import namespace_snapshot
from mlops_jupyter.capture.namespace_snapshot import NamespaceSnapshot

OBJECTS = [object() for _ in range(4)]
NAMES = st.sampled_from("abcdef")
CHANGES = st.lists(st.tuples(NAMES, st.none() | st.sampled_from(OBJECTS)), max_size=8)


@given(st.dictionaries(NAMES, st.sampled_from(OBJECTS)), CHANGES)
def test_what_changed_is_what_a_plain_look_finds(names: dict[str, object], changes: list[tuple[str, object]]) -> None:
    """None deletes a name; one that is bound again after that stands at another place."""
    then, before = dict(names), NamespaceSnapshot(names)
    for name, value in changes:
        if value is None:
            names.pop(name, None)
        else:
            names[name] = value
    assert before.rebound(names) == {name for name in names if name not in then or then[name] is not names[name]}
    assert before.deleted(names) == then.keys() - names.keys()
    assert all((name in before) == (name in then) for name in "abcdef")


def test_examples() -> None:
    assert doctest.testmod(namespace_snapshot).failed == 0
