"""`%pipeline` says "cached" of exactly the steps that `%pipeline run` then takes from the cache."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.surfaces.magics import session_of
from mlops_jupyter.surfaces.magics.pipeline.run import run
from mlops_jupyter.surfaces.magics.pipeline.show import show
from mlops_jupyter.surfaces.magics.session import NotebookSession
from mlops_jupyter.surfaces.magics.verbs import arguments
from tests.services.pipeline.played import session

HELPER = "def work(text, factor):\n    return len(text) * factor\n"

CELLS = (
    "import sys\nsys.path.insert(0, '.')\nimport numpy as np\nimport helper_of_status",
    "%%pipeline load\ntext = open('in.txt').read()",
    "%%pipeline draw\nnoise = np.arange(3)",
    "%%pipeline work --params factor=2\nsize = helper_of_status.work(text, factor)",
    "%%pipeline count\ncount = len(text)",
)
ALL = {"prepare", "load", "draw", "work", "count"}


@dataclass
class Live:
    """A session whose pipeline has run once."""

    run_cell: Callable[[str], Any]
    session: NotebookSession

    def states(self) -> dict[str, tuple[str, str]]:
        """Return step -> (state, version), as `%pipeline` shows them. No cell asks, so that the history stays."""
        table = show(self.session, arguments(show, ""))
        return {step.name: (step.state.value, step.version) for step in table.steps}

    def shown(self) -> set[str]:
        return {name for name, (state, _) in self.states().items() if state == "cached"}

    def taken(self, words: str = "") -> set[str]:
        """Run the pipeline as `%pipeline run` does; return the steps that it took from the cache."""
        steps = run(self.session, arguments(run, words)).steps
        return {name for name, status in steps.items() if status == "cached"}

    def package(self) -> Path:
        """Return the folder of the bundle's package."""
        return next(Path(".mlops/bundles").glob("*/src/*/steps")).parent


@pytest.fixture
def live() -> Iterator[Live]:
    path, variable = list(sys.path), os.environ.get("PYTHONPATH")
    with session(before="import os\nos.mkdir('.mlops')") as (run_cell, notebook):  # a project of its own
        Path("in.txt").write_text("some rows")
        Path("helper_of_status.py").write_text(HELPER)
        for cell in CELLS:
            run_cell(cell).raise_error()  # type: ignore[attr-defined]
        yield Live(run_cell, session_of(notebook._shell))
    sys.path[:] = path
    sys.modules.pop("helper_of_status", None)
    if variable is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = variable


def installed(live: Live) -> None:
    """Let another version of numpy be found, here and in a run."""
    site = Path("site").absolute()
    (site / "numpy-0.1.dist-info").mkdir(parents=True)
    sys.path.insert(0, str(site))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    importlib.invalidate_caches()


ROWS: dict[str, tuple[Callable[[Live], object], set[str]]] = {
    "nothing": (lambda live: None, ALL),
    "the steps run again": (lambda live: [live.run_cell(cell) for cell in CELLS[1:]], ALL),
    "a data file": (lambda live: Path("in.txt").write_text("other rows"), {"prepare", "draw"}),
    "the version of a package": (installed, ALL - {"draw"}),
    "a module of the project": (
        lambda live: Path("helper_of_status.py").write_text(HELPER.replace("* factor", "* factor + 0")),
        ALL - {"work"},
    ),
    "a module that a person adds to the package": (
        lambda live: live.package().joinpath("more.py").write_text("more = 1\n"),
        set(),
    ),
    "what the store kept": (lambda live: shutil.rmtree(".mlops/store/cache"), set()),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_shown_as_cached_is_what_a_run_takes_from_the_cache(live: Live, name: str) -> None:
    change, cached = ROWS[name]
    assert live.shown() == set()
    assert live.taken() == set()
    before = live.states()
    assert live.shown() == ALL
    change(live)
    assert live.shown() == cached
    assert {step: version for step, (_, version) in live.states().items()} == {
        step: version for step, (_, version) in before.items()
    }, "this table is of what the version does not tell"
    assert live.taken() == cached
    assert live.shown() == ALL


def test_a_run_with_another_parameter_says_nothing_of_the_default(live: Live) -> None:
    live.taken("-p factor=5")
    assert live.shown() == ALL - {"work"}
    assert live.taken() == ALL - {"work"}


def test_other_code_is_another_step(live: Live) -> None:
    live.taken()
    live.run_cell("%%pipeline load\ntext = open('in.txt').read().upper()")
    live.run_cell(CELLS[3].replace("=2", "=3"))
    live.run_cell(CELLS[4])
    assert live.shown() == {"prepare", "draw"}
    assert live.taken() == {"prepare", "draw"}


def test_another_default_of_a_parameter_is_another_step(live: Live) -> None:
    live.taken()
    live.run_cell(CELLS[3].replace("=2", "=3"))
    assert live.shown() == ALL - {"work"}
    assert live.taken() == ALL - {"work"}


def test_a_step_that_always_runs_is_never_cached(live: Live) -> None:
    live.run_cell("%%pipeline note\n%track log n=count")
    live.taken()
    assert live.shown() == ALL
    assert live.taken() == ALL


def test_nothing_is_cached_where_a_run_cannot_begin(live: Live) -> None:
    live.taken()
    Path("in.txt").unlink()
    assert live.shown() == set()
    Path("in.txt").write_text("some rows")
    assert live.shown() == ALL
    shutil.rmtree(".mlops/store")
    assert live.shown() == set()
