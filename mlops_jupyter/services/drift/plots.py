"""Plotly figures of a drift report, readable on a light and on a dark page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.drift import Bars, Bins, ColumnDrift, DriftReport, DriftVerdict

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

INK = "#7a7a7a"
"""Grey that has a contrast of at least 4.2 on white and on JupyterLab's dark page."""
LINES = "rgba(128,128,128,0.25)"
BEFORE, AFTER = "#4c8bc9", "#e07b39"
VERDICTS = {DriftVerdict.DRIFTED: "#d1495b", DriftVerdict.STABLE: "#3a9e7e", DriftVerdict.UNTESTED: "#9a9a9a"}
"""Colours that the colour-blind can tell apart: red and green differ in lightness, and are labelled with words."""

MOST_COLUMNS = 40
"""How many columns the overview shows at most, those with the largest effect size."""


def overview(report: DriftReport) -> Figure:
    """Draw the columns' effect sizes against the threshold, coloured by verdict, the largest on top."""
    from plotly import graph_objects as go

    tested = sorted((c for c in report.columns if c.finding), key=lambda c: c.effect)[-MOST_COLUMNS:]
    figure = go.Figure()
    for verdict, colour in VERDICTS.items():
        rows = [(place, column) for place, column in enumerate(tested) if column.verdict is verdict]
        if rows:
            figure.add_bar(
                y=[place for place, _ in rows],
                x=[column.effect for _, column in rows],
                customdata=[[escape(column.name), escape(_told(column))] for _, column in rows],
                hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
                orientation="h",
                name=verdict.value,
                marker_color=colour,
                width=0.66,
            )
    figure.add_vline(x=report.threshold, line={"dash": "dot", "width": 1.5, "color": INK})
    figure.add_annotation(
        x=report.threshold,
        y=1.0,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        text=f"threshold {report.threshold:g}",
    )
    left = len(report.columns) - len(tested)
    note = f"{left} not shown" if left else ""
    _dress(figure, "Effect size by column", note, height=110 + 26 * max(3, len(tested)))
    figure.update_yaxes(tickvals=list(range(len(tested))), ticktext=[_short(c.name) for c in tested], showgrid=False)
    figure.update_xaxes(title="effect size", rangemode="tozero", range=[0, _roof(tested, report.threshold)])
    return figure


def distribution(column: ColumnDrift) -> Figure:
    """Draw a column's two distributions: overlaid in shared bins, or categories side by side.

    Raises
    ------
    UserError
        If the report holds no distribution of the column.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    if isinstance(column.picture, Bins):
        _histogram(figure, column.picture)
    elif isinstance(column.picture, Bars):
        _categories(figure, column.picture)
    else:
        raise UserError(f"column {column.name!r} has no distribution to draw: {column.reason or 'it was left out'}")
    rows = len(column.picture.labels) if isinstance(column.picture, Bars) else 0
    _dress(figure, _short(column.name), escape(_told(column)), height=max(320, 130 + 34 * rows))
    return figure


def _histogram(figure: Figure, picture: Bins) -> None:
    edges = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=e) for e in picture.edges] if picture.dates else None
    ends: Any = edges or list(picture.edges)
    middles = [a + (b - a) / 2 for a, b in pairwise(ends)]
    unit = 1000.0 if picture.dates else 1.0  # plotly counts a date axis in milliseconds
    widths = [(b - a) * unit for a, b in pairwise(picture.edges)]
    spans = [[_end(a), _end(b)] for a, b in pairwise(ends)]
    for name, counts, colour in (("reference", picture.before, BEFORE), ("current", picture.after, AFTER)):
        figure.add_bar(
            x=middles,
            y=_shares(counts),
            width=widths,
            customdata=[[*span, count] for span, count in zip(spans, counts, strict=True)],
            hovertemplate="%{customdata[0]} to %{customdata[1]}: %{y:.1%} (%{customdata[2]:,} rows)",
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            opacity=0.6,
        )
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_yaxes(title="share of values", tickformat=".0%", rangemode="tozero")


def _categories(figure: Figure, picture: Bars) -> None:
    places = list(range(len(picture.labels)))[::-1]  # the most frequent on top
    for name, counts, colour in (("current", picture.after, AFTER), ("reference", picture.before, BEFORE)):
        figure.add_bar(
            y=places,
            x=_shares(counts),
            customdata=[[escape(label), count] for label, count in zip(picture.labels, counts, strict=True)],
            hovertemplate="%{customdata[0]}: %{x:.1%} (%{customdata[1]:,} rows)",
            orientation="h",
            name=name,
            marker_color=colour,
            opacity=0.85,
        )
    figure.update_layout(barmode="group", bargap=0.3, bargroupgap=0.06, legend_traceorder="reversed")
    figure.update_yaxes(tickvals=places, ticktext=[_short(label) for label in picture.labels], showgrid=False)
    figure.update_xaxes(title="share of values", tickformat=".0%", rangemode="tozero")


def _dress(figure: Figure, title: str, subtitle: str, height: int) -> None:
    """Give a figure a transparent background, and colours that are readable on light and on dark."""
    figure.update_layout(
        template="none",
        title={"text": f"<b>{title}</b>", "subtitle": {"text": subtitle}, "x": 0, "xref": "paper", "font_size": 15},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "size": 12},
        height=height,
        margin={"l": 10, "r": 16, "t": 76, "b": 44},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        showlegend=True,
    )
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(automargin=True, gridcolor=LINES, zeroline=False, linecolor=LINES)


def _told(column: ColumnDrift) -> str:
    """Describe a column's finding in one line."""
    finding = column.finding
    parts = [column.verdict.value]
    if finding:
        parts += [f"{finding.measure} {finding.effect:.3f}", f"{finding.test}, p {finding.chance}"]
    if column.gaps and column.finding is not column.missing:
        parts.append(f"missing {column.gaps}")
    return " · ".join(part for part in (*parts, column.changed) if part)


def _shares(counts: tuple[int, ...]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _end(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else f"{value:,.6g}"


def _short(text: str, most: int = 28) -> str:
    return escape(text if len(text) <= most else text[: most - 1] + "…")


def _roof(tested: list[ColumnDrift], threshold: float) -> float:
    return 1.08 * max([threshold * 1.5, *(column.effect for column in tested)])
