"""The run table: a frame that shows itself."""

from __future__ import annotations

import math
import pickle

import pandas as pd
import pytest

from mlops_jupyter.services.tracking.views import RunView
from mlops_jupyter.surfaces.widgets.runs import SHOWN, _view, chosen, frame, html, run_table


def view(name: str, started: float = 1e9, params: dict | None = None, **metrics: float) -> RunView:
    return RunView(
        id=f"id-{name}", name=name, experiment="e", status="running", started=started, params=params or {},
        metrics=metrics,
    )  # fmt: skip


RUNS = [view("a", auc=0.5), view("<b>", params={"depth": "3"}, auc=math.nan), view("c", loss=2.0)]


def test_the_value_is_a_frame() -> None:
    table = run_table(RUNS)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == [
        *("name", "experiment", "status", "started", "seconds", "metrics.auc", "metrics.loss", "params.depth")
    ]
    assert list(table.index) == ["id-a", "id-<b>", "id-c"]
    assert table["metrics.auc"].dtype == "float64"
    assert str(table.started.dt.tz) == "UTC"
    assert type(table[table.name == "a"]) is pd.DataFrame
    assert type(table.frame) is pd.DataFrame
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(table)), table.frame)


def test_no_runs_are_an_empty_frame() -> None:
    table = run_table([])
    assert len(table) == 0
    assert list(table.columns) == ["name", "experiment", "status", "started", "seconds"]
    assert "<table>" in table._repr_mimebundle_()["text/html"]


def test_html_is_escaped() -> None:
    text = html(frame(RUNS))
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert "2001-09-09 01:46:40" in text


def test_a_long_table_is_cut_and_says_so() -> None:
    assert "<p>5 more</p>" in html(frame([view(str(n)) for n in range(SHOWN + 5)]))


CHOICES = [
    ("", True, "", ["a", "<b>", "c"]),
    ("metrics.auc", True, "", ["a", "<b>", "c"]),
    ("name", True, "", ["c", "a", "<b>"]),
    ("name", False, "", ["<b>", "a", "c"]),
    ("", True, "3 B", ["<b>"]),
    ("", True, "nothing", []),
]


@pytest.mark.parametrize(("key", "down", "words", "expected"), CHOICES)
def test_sorting_and_searching(key: str, down: bool, words: str, expected: list[str]) -> None:
    assert list(chosen(frame(RUNS), key, down, words).name) == expected


def test_the_widget_follows_its_controls() -> None:
    box = _view(frame(RUNS))
    (key, _, words), area = box.children[0].children, box.children[1]
    key.value = "name"
    assert area.value.index(">c<") < area.value.index(">a<")
    words.value = "b"
    assert "&lt;b&gt;" in area.value
    assert ">a<" not in area.value


def test_without_a_kernel_there_is_no_widget() -> None:
    assert sorted(run_table(RUNS)._repr_mimebundle_()) == ["text/html", "text/plain"]
