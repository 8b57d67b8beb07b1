"""Docs cover what there is, and the check that says so sees what is missing."""

from __future__ import annotations

import argparse
import ast

import pytest

from docs import build, check


def test_everything_is_told_and_up_to_date() -> None:
    assert list(check.faults()) == []


def test_what_has_no_words_is_named() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", help="whose it is")
    parser.add_argument("--step", "-s", type=int)
    parser.add_argument("--of", choices=["a", "b"], help="a|b, default %(default)s", default="a")
    parser.add_argument("--clock", help=argparse.SUPPRESS)
    page = build.Page([])
    page.entry("%x do", 3, "", parser)
    assert page.untold == ["%x do says nothing of what it does", "%x do --step, -s STEP has no help"]
    assert page.text.splitlines()[1:] == [
        "### `%x do`",
        "",
        "",
        "| argument | |",
        "|---|---|",
        "| `NAME` | whose it is |",
        "| `--step, -s STEP` |  |",
        "| `--of {a,b}` | a\\|b, default a |",
    ]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("raise UserError(f'no step {name!r}: it has {\", \".join(names)}')", ["no step {name}: it has {...}"]),
        ("raise NotFoundError('gone')", ["gone"]),
        ("raise UserError('a ' + f'{b.c} ' + 'd')", ["a {b.c} d"]),
        ("raise UserError(str(fault)) from None", []),
        ("raise ValueError('ours')", []),
        ("def f():\n    return UserError('''over\n  lines of `code`''')", ["over lines of 'code'"]),
    ],
)
def test_messages_are_read_from_the_code(source: str, texts: list[str]) -> None:
    assert list(build.raised(ast.parse(source))) == texts


def test_every_room_of_the_surface_is_there() -> None:
    text = build.reference().text
    for heading in ("### `%track log`", "### `%pipeline export`", "### `%%pipeline`", "### `mlops-jupyter verify`"):
        assert heading in text
    assert "| `airflow` | Airflow 3 |" in text
