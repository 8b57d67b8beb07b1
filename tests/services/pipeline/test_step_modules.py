"""Planning by example: the cells of each row give exactly its step modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.services.pipeline.planner import PlanRequest, plan
from mlops_jupyter.surfaces.magics.bundle_code import BundleTranslator
from tests.cases.step_modules import ROWS
from tests.cases.step_modules.row import Row
from tests.services.pipeline.played import play, session

DEFINITIONS = "src/play/definitions.py"


@pytest.mark.parametrize("row", ROWS, ids=[row.name.replace(" ", "-") for row in ROWS])
def test_step_modules(row: Row) -> None:
    with session() as (run, notebook):
        for path, text in row.files.items():
            Path(path).write_text(text)
        play(row.cells, row.order, run)
        planned = plan(notebook, PlanRequest("play", lock=False), BundleTranslator())
    modules = {step.name: step.module for step in planned.steps}
    if DEFINITIONS in planned.files:
        modules["definitions"] = planned.files[DEFINITIONS].decode()
    assert list(modules) == list(row.modules)
    for name, text in row.modules.items():
        assert modules[name] == text


def test_the_table_can_be_read_as_documentation() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 40
    assert [row.name for row in ROWS if not row.shows.endswith(".") or "\n" in row.shows] == []
