"""The drift view without a browser: its forms, and what it draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.runtime.drift import DriftReport, check
from mlops_jupyter.surfaces.widgets.drift import OVERVIEW, forms, view

PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture(scope="module")
def report() -> DriftReport:
    before = pd.DataFrame({"calm": np.arange(300.0), "moved": np.arange(300.0), "lists": [[1]] * 300})
    return check(before, before.assign(moved=before.moved + 200))


def test_it_has_a_form_for_every_front_end(report: DriftReport) -> None:
    assert list(forms(report)) == ["text/plain", "text/html", "application/vnd.jupyter.widget-view+json"]
    assert list(forms(report, rich=False)) == ["text/plain", "text/html"]
    assert list(forms(report.without_pictures())) == ["text/plain", "text/html"]


def test_the_worst_column_is_drawn_first_and_any_other_on_demand(report: DriftReport) -> None:
    table, choice, drawing = view(report).children
    assert "<table>" in table.value
    assert [label for label, _ in choice.options] == [OVERVIEW, "moved · drifted 2.31", "calm · stable 0.00"]
    assert _title(drawing) == "<b>moved</b>"
    choice.value = "calm"
    assert _title(drawing) == "<b>calm</b>"
    assert drawing.outputs[0]["data"]["text/plain"] == "plot of calm"
    choice.value = ""
    assert _title(drawing) == "<b>Effect size by column</b>"


def _title(drawing) -> str:
    return drawing.outputs[0]["data"][PLOTLY]["layout"]["title"]["text"]
