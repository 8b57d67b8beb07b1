"""Slices: exactly the statements that made a value, and the program made of them gives it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from tests.cases.slices import HISTORIES, STATEMENTS, STATES, Sliced
from tests.services.pipeline.played import play, replay, same, session, sliced, statements


@pytest.mark.parametrize("case", (*HISTORIES, *STATEMENTS, *STATES), ids=lambda case: case.name.replace(" ", "-"))
def test_slice(case: Sliced) -> None:
    with session() as (run, notebook):
        play(case.cells, case.order, run)
        made = sliced(notebook, case.of)
        assert tuple(statements(made)) == case.statements
        assert same(notebook.namespace[case.of], replay(notebook, made))


REFUSED = (
    ("no such name", "z", ("x = 1",), "no cell made 'z': the notebook has x"),
    ("deleted", "x", ("x = 1", "del x"), "'x' has been deleted: `%pipeline history x` shows what made it"),
    ("what IPython keeps", "x", ("1 + 1", "x = _"), "uses '_', which IPython keeps: give the value a name of its own"),
    ("a magic without a meaning", "x", ("%macro m 1\nx = 1",), "%macro makes a macro of earlier input"),
    ("timed again and again", "x", ("import random", "%timeit -n1 -r3 random.random()\nx = random.random()"),
     "changes values in %timeit"),
    ("a magic in a cell that failed", "rows", ("rows = []", "rows.append(1)\n%matplotlib nowhere\nrows.append(2)"),
     "holds a magic and failed"),
    ("what a magic showed", "table", ("x = 1", "table = %pipeline"), "keeps what a magic of this notebook showed"),
    ("interrupted", "rows", ("rows = []", "rows.append(1)\nraise KeyboardInterrupt"), "was interrupted half way"),
    ("a file that was there and is no more", "a", ("a = open('given.txt').read()", "open('given.txt', 'w').write('b')"),
     "uses the file 'given.txt' as it was before execution 2 (its cell was edited or deleted since) changed it"),
    ("made before recording", "x", ("x = given + 1",), "uses 'given', which was made before `%load_ext mlops_jupyter`"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "of", "cells", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_repeated_says_why(name: str, of: str, cells: tuple[str, ...], said: str) -> None:
    with session(before="given = 1") as (run, notebook):
        Path("given.txt").write_text("a")
        play(cells, None, run)
        with pytest.raises(UserError) as fault:
            sliced(notebook, of)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_value_that_came_between_two_cells_is_refused() -> None:
    with session() as (run, notebook):
        run("k = 1")
        notebook._shell.user_ns["slider"] = 5  # as the callback of a widget does
        run("x = slider + k")
        with pytest.raises(UserError, match="uses 'slider', which was made between two cells, by a widget or a thread"):
            sliced(notebook, "x")


def test_what_it_starts_from_is_said() -> None:
    with session() as (run, notebook):
        Path("given.txt").write_text("12")
        play(["import random", "x = random.random() + len(open('given.txt').read())"], None, run)
        made = sliced(notebook, "x")
    assert made.starts == ("~file:given.txt", "~random")
    assert made.executions == (0, 1)
    assert made.text.splitlines()[:3] == [
        "# What made 'x': 2 of 2 executions, in the order in which they ran.",
        "# Nothing here seeds random: the value needs the random state of that session.",
        "# Reads given.txt, from the notebook's folder.",
    ]


def test_what_may_come_out_otherwise_is_said() -> None:
    with session() as (run, notebook):
        play(
            ["import time\nthen = time.time()", "now = 1", "s = {object(), object()}", "x = [now, *map(id, s)]"],
            None,
            run,
        )
        made = sliced(notebook, "x")
    said = "execution 4 (its cell was edited or deleted since) depends on "
    assert made.causes == (
        f"`map(id, s)` in {said}an order that is not fixed (files of a folder, a set of texts or objects)",
    )
    assert f"# May come out otherwise: {made.causes[0]}." in made.text.splitlines()


def test_a_module_of_the_project_may_keep_things() -> None:
    """Its functions are called for what they give, and may change what later calls give."""
    with session() as (run, notebook):
        Path("kept_beside.py").write_text("rows = []\n\n\ndef add(row):\n    rows.append(row)\n    return len(rows)\n")
        play(["import sys\nsys.path.insert(0, '.')\nimport kept_beside", "x = 1", "y = kept_beside.add(1)"], None, run)
        play(["n = kept_beside.add(2)"], None, run)
        assert sliced(notebook, "n").executions == (0, 2, 3)


def test_the_extension_may_be_loaded_again() -> None:
    """A watch of an earlier session must not stand in the way of imports."""
    with session() as (run, _):
        run("x = 1")
    with session() as (run, notebook):
        run("import colorsys\nx = colorsys.rgb_to_hsv(0, 0, 0)")
        assert notebook.history[-1].error == ""


def test_a_module_that_was_written_again_is_a_cause() -> None:
    with session() as (run, notebook):
        Path("written_again.py").write_text("k = 1")
        play(
            [f"import sys\nsys.path.insert(0, {str(Path.cwd())!r})\nfrom written_again import k", "x = k + 1"],
            None,
            run,
        )
        assert sliced(notebook, "x").causes == ()
        Path("written_again.py").write_text("k = 2")
        os.utime("written_again.py", (time.time() + 1, time.time() + 1))
        assert sliced(notebook, "x").causes == ("written_again.py was written again after it had been imported",)
