"""Render a drift report as html: a table that needs no script, or a whole page with plots, from `templates/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mlops_jupyter.runtime.drift import Bins, ColumnDrift, DriftReport, DriftVerdict
from mlops_jupyter.services.drift.plots import AFTER, BEFORE, VERDICTS, distribution, overview

if TYPE_CHECKING:
    from jinja2 import Template

MOST_PLOTS = 30
"""How many columns' distributions a page shows at most, those with the largest effect size first."""

SPARK = 100
"""Width of the small distributions in the table, in pixels."""

Bar = tuple[float, float, float, float]
"""A rectangle in pixels: x and y of its upper left corner, width, height."""


@dataclass(frozen=True)
class Drawing:
    """Both distributions of a column as a sparkline: two sets of bars, or bars with a line over them."""

    before: list[Bar]
    after: list[Bar]
    line: str = ""


@dataclass(frozen=True)
class Row:
    """A column as the table shows it. `bar` is the width in pixels of the bar of its effect size."""

    column: ColumnDrift
    name: str
    bar: float
    drawing: Drawing | None
    changed: str


def table(report: DriftReport) -> str:
    """Return the report as an html fragment. All names and values are escaped."""
    return _template("report.html").render(_shown(report))


def page(report: DriftReport, title: str = "Drift") -> str:
    """Return a self-contained page: the table, then the plots, with plotly's script inside (about 5 MB)."""
    columns = sorted((c for c in report.columns if c.picture is not None), key=lambda c: -c.effect)[:MOST_PLOTS]
    figures = [overview(report), *map(distribution, columns)]
    plots = (
        figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False, "responsive": True})
        for number, figure in enumerate(figures)
    )
    left = sum(column.picture is not None for column in report.columns) - len(columns)
    return _template("page.html").render(_shown(report), title=title, plots=plots, left=left)


@cache
def _template(name: str) -> Template:
    """Return a template that escapes whatever is filled in."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined).get_template(name)


def _shown(report: DriftReport) -> dict[str, Any]:
    """Return the variables with which the templates show a report."""
    roof = max([2 * report.threshold, *(column.effect for column in report.columns)])
    order = (DriftVerdict.DRIFTED, DriftVerdict.STABLE, DriftVerdict.UNTESTED)
    return {
        "report": report,
        "headline": report.headline().partition(": ")[2],
        "rows": [_row(column, roof) for verdict in order for column in report.of(verdict)],
        "tick": 80 * report.threshold / roof,
        "colours": VERDICTS,
        "before": BEFORE,
        "after": AFTER,
        "spark_width": SPARK,
    }


def _row(column: ColumnDrift, roof: float) -> Row:
    width = 80 * min(1.0, column.effect / roof)
    return Row(column, _cut(column.name, 40), width, _drawing(column), _changed(column))


def _changed(column: ColumnDrift) -> str:
    parts = [column.changed] if column.changed else []
    for word, names in (("new", column.new), ("gone", column.vanished)):
        if names:
            shown = ", ".join(_cut(name, 20) for name in names[:4])
            parts.append(f"{word}: {shown}{' …' if len(names) > 4 else ''}")
    return "; ".join(parts)


def _drawing(column: ColumnDrift) -> Drawing | None:
    """Draw a column's distributions: numbers as bars with a line over them, categories as pairs of bars."""
    if column.picture is None:
        return None
    before, after = _heights(column.picture.before, column.picture.after)
    width = SPARK / len(before)
    if isinstance(column.picture, Bins):
        line = " ".join(f"{x:.1f},{22 - h:.1f}" for i, h in enumerate(after) for x in (i * width, (i + 1) * width))
        return Drawing(_bars(before, 0, width, width), [], line)
    thin = min(6.0, 0.42 * width)
    return Drawing(_bars(before, 0, width, thin), _bars(after, thin, width, thin))


def _bars(heights: list[float], offset: float, step: float, width: float) -> list[Bar]:
    return [(i * step + offset, 22 - height, width, height) for i, height in enumerate(heights)]


def _heights(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[list[float], list[float]]:
    """Return the heights in pixels of each side's shares; the tallest bar of both has 20 pixels."""
    left, right = ([count / (sum(counts) or 1) for count in counts] for counts in (before, after))
    top = max(*left, *right) or 1.0
    return [20 * share / top for share in left], [20 * share / top for share in right]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
