"""Histories of a name: which executions made which version, and from what."""

from __future__ import annotations

import pytest

from mlops_jupyter.core.errors import NotFoundError
from mlops_jupyter.services.pipeline.query.value_history import versions
from mlops_jupyter.surfaces.magics.pipeline.tables import VersionTable
from tests.services.pipeline.played import play, session

BOUND, CHANGED, DELETED = "bound", "changed in place", "deleted"

ROWS = (
    ("bound twice", "a", ("a = 1", "b = a", "a = b + 1"), [(0, BOUND, "", False), (2, BOUND, "b", True)]),
    ("changed in place", "a", ("a = [1]", "a.append(2)"), [(0, BOUND, "", False), (1, CHANGED, "a", True)]),
    ("changed through an alias", "a", ("a = [1]", "b = a", "b.append(2)"),
     [(0, BOUND, "", False), (2, CHANGED, "a b", True)]),
    ("deleted", "a", ("a = 1", "del a"), [(0, BOUND, "", False), (1, DELETED, "", False)]),
    ("deleted and made again", "a", ("a = 1", "del a", "a = 2"),
     [(0, BOUND, "", False), (1, DELETED, "", False), (2, BOUND, "", True)]),
    ("made by a function of a value", "a", ("k = 2", "def f():\n    return k", "a = f()"), [(2, BOUND, "f k", True)]),
    ("imports are no sources", "a", ("import math", "a = math.pi"), [(1, BOUND, "", True)]),
    ("drawn and read", "a", ("import random", "open('f', 'w').write('1')", "a = random.random(), open('f').read()"),
     [(2, BOUND, "file:f random", True)]),
    ("in a cell that failed", "a", ("a = []", "a.append(1)\na.b"), [(0, BOUND, "", False), (1, CHANGED, "a", True)]),
)  # fmt: skip


@pytest.mark.parametrize(("name", "of", "cells", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_versions(name: str, of: str, cells: tuple[str, ...], expected: list[tuple[int, str, str, bool]]) -> None:
    with session() as (run, notebook):
        play(cells, None, run)
        found = versions(notebook, of)
    assert [(v.position, v.how.value, " ".join(v.sources), v.live) for v in found] == expected
    assert [v.count for v in found] == [position + 1 for position, *_ in expected]
    assert all(len(v.fingerprint) == (0 if v.how.value == DELETED else 32) for v in found)


def test_a_name_that_no_cell_made() -> None:
    with session() as (run, notebook):
        run("a = 1")
        with pytest.raises(NotFoundError, match="no cell made 'b': the notebook has a"):
            versions(notebook, "b")


def test_the_table_shows_them() -> None:
    with session() as (run, notebook):
        play(["a = 1", "a = '<b>'"], None, run)
        table = VersionTable("a", versions(notebook, "a"))
    lines = repr(table).splitlines()
    assert lines[0] == "a: 2 versions"
    assert lines[1].split() == ["execution", "at", "now", "cell", "how", "value", "from"]
    assert lines[2].startswith("In [1]")
    assert "● live" not in lines[2]
    assert lines[3].startswith("In [2]")
    assert "● live" in lines[3]
    assert "<td" in table._repr_html_()
