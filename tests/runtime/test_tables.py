"""Tables of text and of html, as every surface and every bundle draws them."""

from __future__ import annotations

import ast
import doctest

import pytest

from mlops_jupyter.runtime import tables
from tests.house.source import PACKAGE, modules, where

EVIL = "<script>alert('1')</script>\"&"


def test_examples() -> None:
    assert doctest.testmod(tables).failed == 0


def test_text_has_no_blanks_at_the_ends_of_lines() -> None:
    assert tables.aligned([("a", "bb", ""), ("aaa", "", "")]) == "a    bb\naaa"
    assert tables.aligned([]) == ""


def test_rows_of_other_lengths_are_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="zip"):
        tables.aligned([("a", "b"), ("a",)])


@pytest.mark.parametrize(
    "text",
    [
        tables.html([EVIL], [[EVIL]]),
        tables.html([], [[EVIL, EVIL]], longest=3, tips=True),
        tables.html_facts([(EVIL, EVIL)]),
    ],
    ids=["cells", "tooltips", "facts"],
)
def test_html_is_escaped(text: str) -> None:
    assert "<script" not in text
    assert "alert(&#x27;1&#x27;)" in text
    assert '"' not in text


def test_what_is_too_long_is_whole_in_its_tooltip() -> None:
    text = tables.html(["a"], [["the run", "x" * 50]], longest=40, tips=True)
    assert (
        f"<tr title='the run'><td style='text-align:left; white-space:nowrap' title='{'x' * 50}'>{'x' * 40}…</td>"
        in text
    )


def test_only_the_first_columns_stay_in_one_line() -> None:
    text = tables.html([], [["name", "a long list"]], wrapped=1)
    assert "white-space:nowrap'>name" in text
    assert "style='text-align:left'>a long list" in text


def test_no_other_module_draws_a_table() -> None:
    found = [
        where(path, node.lineno)
        for path, tree in modules().items()
        if path != PACKAGE / "runtime" / "tables.py"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, str) and "<table" in node.value)
        or (isinstance(node, ast.Attribute) and node.attr == "ljust")
    ]
    assert found == []
