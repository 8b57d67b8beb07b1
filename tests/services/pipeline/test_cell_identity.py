"""One notion of "the same cell", with ids, with a file, and in a terminal that has neither."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.core.executions import Execution, ExecutionStatus, Header
from mlops_jupyter.core.ids import ExecutionId
from mlops_jupyter.core.plan import Plan
from mlops_jupyter.services.pipeline.planner import PlanRequest, plan
from mlops_jupyter.services.pipeline.query.step_states import StepState, marked
from mlops_jupyter.services.pipeline.select.cell_identity import CellRuns, in_file
from mlops_jupyter.surfaces.magics.bundle_code import BundleTranslator
from mlops_jupyter.surfaces.magics.notebook import Notebook
from tests.services.pipeline.played import play, session


def ran(
    text: str, cell: str = "", step: str = "", writes: str = "", status: ExecutionStatus = ExecutionStatus.OK
) -> Execution:
    """Return a running of a cell that makes some names, given in one string."""
    headers = (Header("pipeline", step),) if step else ()
    raw = f"%%pipeline {step}\n{text}" if step else text
    return Execution(
        ExecutionId(0), raw, text, headers=headers, cell=cell, writes=dict.fromkeys(writes.split(), "1"), status=status
    )


@dataclass(frozen=True)
class Told:
    """A history, the cells of its file, and which of its executions are of one cell: equal letters."""

    name: str
    history: tuple[Execution, ...]
    letters: str
    file: tuple[CodeCell, ...] = ()


CELLS = (CodeCell(1, "one", "x = 1"), CodeCell(2, "two", "x = 1"), CodeCell(3, "three", "%%pipeline s\nx = 1"))

TOLD = (
    Told("one id, whatever the text", (ran("x = 1", "a"), ran("x = 2", "a")), "aa"),
    Told("two ids, whatever the text", (ran("x = 1", "a"), ran("x = 1", "b")), "ab"),
    Told("no ids, one text", (ran("x = 1"), ran("x = 1")), "aa"),
    Told("no ids, blank lines around", (ran("x = 1"), ran("\nx = 1\n")), "aa"),
    Told("no ids, two texts", (ran("x = 1"), ran("x = 2")), "ab"),
    Told("no ids, one step and text", (ran("x = 1", step="s"), ran("x = 1", step="s")), "aa"),
    Told("no ids, one step and text, other options", (ran("x = n", step="s"), ran("x = n", step="s --cpu 2")), "aa"),
    Told("no ids, one step, two texts", (ran("x = 1", step="s"), ran("x = 2", step="s")), "ab"),
    Told("no ids, two steps, one text", (ran("x = 1", step="s"), ran("x = 1", step="t")), "ab"),
    Told("no ids, a step and none, one text", (ran("x = 1", step="s"), ran("x = 1")), "ab"),
    Told("an id, then none: a console beside the notebook", (ran("x = 1", "a"), ran("x = 1")), "aa"),
    Told("none, then an id", (ran("x = 1"), ran("x = 1", "a")), "aa"),
    Told("no id between two ids: the cell before", (ran("x", "a"), ran("x"), ran("x", "b"), ran("x")), "aabb"),
    Told("a file tells cells of one text apart", (ran("x = 1"), ran("x = 1"), ran("x = 1")), "aba", CELLS),
    Told("a file and ids", (ran("x = 1", "two"), ran("x = 9", "two"), ran("x = 1", "one")), "aab", CELLS),
    Told("edited since, in a file without ids", (ran("x = 0"), ran("x = 0"), ran("x = 1")), "aab", CELLS),
    Told("a step in a file", (ran("x = 1", step="s"), ran("x = 1", step="s")), "aa", CELLS),
)  # fmt: skip


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.name)
def test_executions_of_one_cell(case: Told) -> None:
    keys = CellRuns(case.history, in_file(case.history, case.file)).keys
    letters = {key: "abcdef"[number] for number, key in enumerate(dict.fromkeys(keys))}
    assert "".join(letters[key] for key in keys) == case.letters


BAD = ExecutionStatus.ERROR

STANDING = (
    ("the last good run of a cell", (ran("x", "a"), ran("x", "a"), ran("x", "a", status=BAD)), [1]),
    ("a step run again", (ran("x", step="s", writes="x"), ran("x", step="s", writes="x")), [1]),
    ("a step that only shows, run again", (ran("show", step="s"), ran("show", step="s")), [1]),
    ("a step that was edited, or has a further cell", (ran("x", step="s"), ran("y", step="s")), [0, 1]),
    ("a line that made the same again", (ran("x", writes="x"), ran("x", writes="x y")), [1]),
    ("a line that made another file", (ran("save", writes="~file:a"), ran("save", writes="~file:b")), [0, 1]),
    ("a line that left nothing to be compared", (ran("log"), ran("log")), [0, 1]),
    ("a line that made the same again and logged it", (ran("x = 1\n%track log x=x", writes="x"),) * 2, [0, 1]),
    ("a remainder is no magic", (ran("x = 5 % 3 != 1", writes="x"),) * 2, [1]),
    ("a cell with an id that left nothing", (ran("log", "a"), ran("log", "a")), [1]),
)


@pytest.mark.parametrize(("name", "history", "expected"), STANDING, ids=[row[0] for row in STANDING])
def test_executions_that_stand_for_their_cells(name: str, history: tuple[Execution, ...], expected: list[int]) -> None:
    assert list(CellRuns(history).standing) == expected


def planned(notebook: Notebook) -> Plan:
    return plan(notebook, PlanRequest("play", lock=False), BundleTranslator())


def modules(made: Plan) -> dict[str, list[str]]:
    """Return the lines of each step's function, without its head and its return."""
    return {
        step.name: [
            line.strip()
            for line in step.module.partition(f"def {step.name}(")[2].splitlines()[1:]
            if line.strip() and not line.strip().startswith("return")
        ]
        for step in made.steps
    }


LOAD, PREPARE, TRAIN = (
    "%%pipeline load\nrows = [3, 1, 2]",
    "%%pipeline prepare\nrows = sorted(rows)",
    "%%pipeline train\nmodel = sum(rows)",
)
WRITE, FORMATTED = "n = open(name, 'w').write('1')", 'n = open(name, "w").write("1")'
AS_WRITTEN = {"load": ["rows = [3, 1, 2]"], "prepare": ["rows = sorted(rows)"], "train": ["model = sum(rows)"]}

TERMINAL: tuple[tuple[str, tuple[str, ...], dict[str, list[str]], dict[str, object]], ...] = (
    ("once", (LOAD, PREPARE, TRAIN), AS_WRITTEN, {"model": 6}),
    ("three steps, run again", (LOAD, PREPARE, TRAIN) * 2, AS_WRITTEN, {"model": 6}),
    ("three steps, run three times", (LOAD, PREPARE, TRAIN) * 3, AS_WRITTEN, {"model": 6}),
    ("the last step run again", (LOAD, PREPARE, TRAIN, TRAIN), AS_WRITTEN, {"model": 6}),
    ("a step that needs its own earlier run: in-place work done twice is done twice",
     (LOAD, "%%pipeline grow\nrows.append(9)", "%%pipeline grow\nrows.append(9)", TRAIN),
     {"load": ["rows = [3, 1, 2]"], "grow": ["rows.append(9)", "rows.append(9)"], "train": ["model = sum(rows)"]},
     {"model": 24}),
    ("a step that was edited: the wording before stays, for it may have been a further cell",
     (LOAD, PREPARE, TRAIN, "%%pipeline train\nmodel = max(rows)"),
     {**AS_WRITTEN, "train": ["model = sum(rows)", "model = max(rows)"]}, {"model": 3}),
    ("a first step that was edited, and all run again",
     (LOAD, PREPARE, TRAIN, "%%pipeline load\nrows = [5, 4]", PREPARE, TRAIN),
     {**AS_WRITTEN, "load": ["rows = [3, 1, 2]", "rows = [5, 4]"]}, {"model": 9}),
    ("a first step that was edited, and nothing run again: the model is of the rows before",
     (LOAD, TRAIN, "%%pipeline load\nrows = [5, 4]"),
     {"load": ["rows = [3, 1, 2]"], "train": ["model = sum(rows)"], "load_2": ["rows = [5, 4]"]},
     {"model": 6, "rows": [5, 4]}),
    ("a step that failed, was mended and ran",
     (LOAD, "%%pipeline train\nmodel = sum(row)", TRAIN), {k: AS_WRITTEN[k] for k in ("load", "train")}, {"model": 6}),
    ("out of order: the rows that are trained on are those of the step that ran again",
     (LOAD, PREPARE, LOAD, TRAIN), {**AS_WRITTEN, "load_2": ["rows = [3, 1, 2]"]}, {"rows": [3, 1, 2], "model": 6}),
    ("two cells of one step", (LOAD, "%%pipeline load\nn = len(rows)", TRAIN),
     {"load": ["rows = [3, 1, 2]", "n = len(rows)"], "train": ["model = sum(rows)"]}, {"model": 6, "n": 3}),
    ("lines without a step, run again", ("x = 2", "y = x + 1", "x = 2", "y = x + 1"),
     {"prepare": ["x = 2", "y = x + 1"]}, {"x": 2, "y": 3}),
    ("a line that counts", ("x = 0", "x += 1", "x += 1"), {"prepare": ["x = 0", "x += 1", "x += 1"]}, {"x": 2}),
    ("one line that writes two files", ("name = 'a'", WRITE, "name = 'b'", WRITE),
     {"prepare": ['name = "a"'], "load": [FORMATTED], "prepare_2": ['name = "b"'], "load_2": [FORMATTED]}, {"n": 1}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "cells", "steps", "values"), TERMINAL, ids=[row[0] for row in TERMINAL])
def test_a_terminal_gives_no_ids(
    name: str, cells: tuple[str, ...], steps: dict[str, list[str]], values: dict[str, object]
) -> None:
    with session() as (run, notebook):
        play(cells, None, run)
        assert {execution.cell for execution in notebook.history} == {""}
        assert modules(planned(notebook)) == steps
        assert {name: notebook.namespace[name] for name in values} == values


def test_a_step_that_may_have_been_edited_is_named() -> None:
    with session() as (run, notebook):
        play([LOAD, TRAIN], None, run)
        assert planned(notebook).notes == ()
        run("%%pipeline train\nmodel = max(rows)")
        assert planned(notebook).notes == (
            "step 'train' keeps two cells that make the same: the front end gives no cell ids, so that an edited cell "
            "cannot be told from a further one; in a new session the earlier one is gone",
        )


PANEL = (
    ("run again", (LOAD, TRAIN) * 2, [("load", "fresh", "rows"), ("train", "fresh", "model")]),
    ("edited", (LOAD, TRAIN, "%%pipeline load\nrows = [1]"), [("load", "fresh", "rows"), ("train", "stale", "model")]),
    ("two cells of one step", (LOAD, "%%pipeline load\nn = 1"), [("load", "fresh", "rows n")]),
    ("failed", (LOAD, "%%pipeline load\nrows = oops"), [("load", "failed", "rows")]),
    ("failed, then mended", ("%%pipeline load\nrows = oops", LOAD), [("load", "fresh", "rows")]),
)


@pytest.mark.parametrize(("name", "cells", "expected"), PANEL, ids=[row[0] for row in PANEL])
def test_the_panel_tells_cells_apart_as_an_export_does(
    name: str, cells: tuple[str, ...], expected: list[tuple[str, str, str]]
) -> None:
    with session() as (run, notebook):
        play(cells, None, run)
        views = marked(notebook.history)
        if all(view.state is StepState.FRESH for view in views):
            assert [view.name for view in views] == [step.name for step in planned(notebook).steps]
    assert [(view.name, view.state.value, " ".join(view.outputs)) for view in views] == expected


def test_the_panel_follows_a_cell_whose_step_was_renamed() -> None:
    views = marked([ran("x", "a", step="s", writes="x"), ran("x", "a", step="t", writes="x")])
    assert [(view.name, view.outputs) for view in views] == [("t", ("x",))]


def test_the_panel_shows_all_cells_of_a_step() -> None:
    history = [ran("x", "a", step="s", writes="x"), ran("y", "b", step="s", writes="y")]
    assert [view.outputs for view in marked(history)] == [("x", "y")]
    assert [view.outputs for view in marked([*history, history[0]])] == [("y", "x")]
