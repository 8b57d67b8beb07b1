"""Lines whose arguments are Python expressions."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.error import UsageError

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.surfaces.magics.track.expressions import pairs, words
from mlops_jupyter.surfaces.magics.track.log import VERB as LOG

PAIRS = [
    ("auc=0.91", {"auc": "0.91"}),
    ("auc=roc_auc_score(y, p) note=len('a b')", {"auc": "roc_auc_score(y, p)", "note": "len('a b')"}),
    ("a=1 + 2 b=3", {"a": "1 + 2", "b": "3"}),
    ("a=f(k=1, b=2) c=d", {"a": "f(k=1, b=2)", "c": "d"}),
    ("ok=x == y", {"ok": "x == y"}),
    ("a=-1 b=- 2", {"a": "-1", "b": "- 2"}),
    ("val/auc=0.9 val.f1=d['a b'][0]", {"val/auc": "0.9", "val.f1": "d['a b'][0]"}),
    ("a=x if b else c", {"a": "x if b else c"}),
    ("a={'k': 1}['k'] b=[i for i in z][0]", {"a": "{'k': 1}['k']", "b": "[i for i in z][0]"}),
    ('a=len("it\'s") b="x=1"', {"a": 'len("it\'s")', "b": '"x=1"'}),
    ("a=len('(') b=1", {"a": "len('(')", "b": "1"}),
    ('a=len("""a b""")', {"a": 'len("""a b""")'}),
    (r"a=len('\'') b=2", {"a": r"len('\'')", "b": "2"}),
    ("a=(1,\n 2)[0]", {"a": "(1,\n 2)[0]"}),
]


@pytest.mark.parametrize(("line", "expected"), PAIRS, ids=[line for line, _ in PAIRS])
def test_pairs(line: str, expected: dict) -> None:
    assert pairs(words(line), "EXAMPLE") == expected


BAD = [
    ("", "nothing is given"),
    ("0.91", "'0.91' is no NAME=VALUE"),
    ("auc = 0.91", "'auc' is no NAME=VALUE"),
    ("auc=", "auc has no Python expression as its value: ''"),
    ("auc=1 +", "auc has no Python expression as its value: '1 +'"),
    ("auc=import os", "auc has no Python expression"),
    ("auc=(1", "a bracket is not closed"),
    ("auc='1", "a quote is not closed"),
    ("a=1 a=2", "'a' is given twice"),
    ("1a=3", "'1a=3' is no NAME=VALUE"),
    ("a=1;b", "a has no Python expression"),
]


@pytest.mark.parametrize(("line", "fault"), BAD, ids=[line or "empty" for line, _ in BAD])
def test_bad_pairs_are_one_line(line: str, fault: str) -> None:
    with pytest.raises(UserError) as raised:
        pairs(words(line), "EXAMPLE")
    assert fault in str(raised.value)
    assert "\n" not in str(raised.value)


OPTIONS = [
    ("auc=0.9 --step 3", ["auc=0.9"], "3"),
    ("--step 3 auc=0.9", ["auc=0.9"], "3"),
    ("--step=len(x) auc=0.9", ["auc=0.9"], "len(x)"),
    ("auc=1 - -1 --step f(1, 2)", ["auc=1", "-", "-1"], "f(1, 2)"),
    ("a=x --y", ["a=x", "--y"], None),
]


@pytest.mark.parametrize(("line", "found", "step"), OPTIONS, ids=[row[0] for row in OPTIONS])
def test_options_stand_anywhere(line: str, found: list, step: str | None) -> None:
    args = LOG.parser.parse_argstring(line)
    assert (args.pairs, args.step) == (found, step)


@pytest.mark.parametrize("line", ["auc=(1", "auc=1 --step"])
def test_a_line_that_cannot_be_parsed_is_a_usage_error(line: str) -> None:
    with pytest.raises(UsageError):
        LOG.parser.parse_argstring(line)


names = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
values = st.recursive(
    st.integers() | st.text(max_size=6) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(names, values, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_literals_come_through_whole(mapping: dict) -> None:
    line = " ".join(f"{name}={value!r}" for name, value in mapping.items())
    found = pairs(words(line), "EXAMPLE")
    assert {name: ast.literal_eval(text) for name, text in found.items()} == mapping
