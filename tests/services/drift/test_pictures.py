"""Plots and html: they hold what the report says, escaped, and no more than a page can bear."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.drift import DriftReport, check, profile
from mlops_jupyter.services.drift.html import page, table
from mlops_jupyter.services.drift.plots import MOST_COLUMNS, distribution, overview

EVIL = "<script>alert(1)</script>&\"'"
N = 400


@pytest.fixture(scope="module")
def report() -> DriftReport:
    rng = np.random.default_rng(0)
    before, after = (_frame(rng, moved) for moved in (0, 1))
    return check(before, after)


def test_the_overview_has_a_bar_for_each_tested_column_and_the_threshold(report: DriftReport) -> None:
    figure = json.loads(overview(report).to_json())
    drawn = {
        row[0]: x for trace in figure["data"] for row, x in zip(trace["customdata"], _numbers(trace["x"]), strict=True)
    }
    tested = {c.name for c in report.columns if c.finding}
    assert len(drawn) == len(tested)
    assert drawn["number"] == pytest.approx(report["number"].effect)
    assert {trace["name"] for trace in figure["data"]} == {"drifted", "stable"}
    assert figure["layout"]["shapes"][0]["x0"] == report.threshold
    assert figure["layout"]["yaxis"]["ticktext"][-1] == report.drifted[0].name
    assert figure["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"


def test_numbers_are_overlaid_in_shared_bins(report: DriftReport) -> None:
    before, after = json.loads(distribution(report["number"]).to_json())["data"]
    assert (before["name"], after["name"]) == ("reference", "current")
    assert _numbers(before["x"]) == _numbers(after["x"])
    assert sum(_numbers(before["y"])) == pytest.approx(1)
    assert sum(_numbers(after["y"])) == pytest.approx(1)
    assert report["number"].picture is not None
    assert sum(report["number"].picture.before) == N


def test_dates_are_on_an_axis_of_dates(report: DriftReport) -> None:
    before = json.loads(distribution(report["day"]).to_json())["data"][0]
    assert before["x"][0].startswith("2024-01-")
    assert before["width"][0] > 1000 * 3600


def test_categories_stand_side_by_side_with_the_rare_ones_summed(report: DriftReport) -> None:
    figure = json.loads(distribution(report["word"]).to_json())
    assert [trace["name"] for trace in figure["data"]] == ["current", "reference"]
    assert figure["layout"]["yaxis"]["ticktext"][-1] == "(other)"
    assert len(figure["layout"]["yaxis"]["ticktext"]) == 12
    for trace in figure["data"]:
        assert sum(_numbers(trace["x"])) == pytest.approx(1)


def test_a_report_of_many_columns_has_a_short_overview() -> None:
    frame = pd.DataFrame({f"c{i}": np.arange(20.0) for i in range(90)})
    figure = json.loads(overview(check(frame, frame.copy())).to_json())
    assert len(figure["layout"]["yaxis"]["ticktext"]) == MOST_COLUMNS
    assert figure["layout"]["title"]["subtitle"]["text"] == "50 not shown"


def test_what_has_no_picture_says_so(report: DriftReport) -> None:
    with pytest.raises(UserError, match="column 'lists' has no distribution to draw: its values cannot be compared"):
        distribution(report["lists"])


@pytest.mark.parametrize("render", [table, page])
def test_html_is_escaped_and_well_formed(report: DriftReport, render: Any) -> None:
    tags = _Tags()
    text = render(report)
    tags.feed(text)
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert tags.open == []
    assert tags.rows == len(report.columns) + 1


def test_a_page_stands_alone(report: DriftReport) -> None:
    text = page(report, title=EVIL)
    assert 1_000_000 < len(text) < 10_000_000
    assert 'src="http' not in text
    assert "src='http" not in text
    assert text.count('class="plotly-graph-div"') == 1 + sum(c.picture is not None for c in report.columns)


def test_a_profile_is_drawn_like_its_data() -> None:
    rng = np.random.default_rng(1)
    before, after = (pd.DataFrame({"x": rng.normal(size=5000)}) for _ in range(2))
    exact, near = check(before, after)["x"].picture, check(profile(before), after)["x"].picture
    assert exact is not None
    assert near is not None
    assert len(near.before) == len(exact.before)
    assert sum(near.before) == 5000
    assert max(abs(a - b) for a, b in zip(exact.before, near.before, strict=True)) < 60


class _Tags(HTMLParser):
    """Counts table rows, and keeps what was opened and not closed."""

    VOID = ("meta", "rect", "line", "polyline")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.rows += tag == "tr"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def _frame(rng: np.random.Generator, moved: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": rng.normal(moved, 1, N),
            EVIL: rng.choice([EVIL, "b", "c"], N, p=[0.2 + 0.4 * moved, 0.4 - 0.2 * moved, 0.4 - 0.2 * moved]),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99 + 80 * moved, N), unit="D"),
            "word": [f"w{k}" for k in rng.integers(0, 30, N)],
            "same": 1,
            "lists": [[1]] * N,
        }
    )


def _numbers(values: Any) -> list[float]:
    """Read an array as plotly writes it: a list, or base64 of its bytes."""
    if isinstance(values, list):
        return values
    import base64

    return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).tolist()
