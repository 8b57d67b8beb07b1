"""Shows a drift report in a notebook: its table, and below it the two distributions of a column.

The output has three forms, of which each front end takes the best it can: a widget (to choose a column), HTML (the
table with small distributions in it: GitHub, nbconvert, a saved notebook), plain text (a terminal).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_jupyter.runtime.drift import ColumnDrift, DriftReport

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from ipywidgets import VBox

OVERVIEW = "All columns, by effect"


def offer(shell: InteractiveShell) -> None:
    """Register the forms of drift reports with the shell's display formatter; doing so twice is harmless."""
    rich = getattr(shell, "kernel", None) is not None
    if shell.display_formatter is not None:
        shell.display_formatter.mimebundle_formatter.for_type(DriftReport, lambda report, **_: forms(report, rich))


def forms(report: DriftReport, rich: bool = True) -> dict[str, Any]:
    """Return MIME type -> content; the widget only if `rich` is set and the report holds distributions."""
    from mlops_jupyter.services.drift.html import table

    contents: dict[str, Any] = {"text/plain": str(report), "text/html": table(report)}
    if rich and any(column.picture is not None for column in report.columns):
        widget = view(report)._repr_mimebundle_() or {}
        contents |= {kind: content for kind, content in widget.items() if kind.startswith("application/")}
    return contents


def view(report: DriftReport) -> VBox:
    """Return the widget: the table, a choice of the plot, and the plot (at first of the first drifted column)."""
    import ipywidgets

    from mlops_jupyter.services.drift.html import table

    columns = sorted((c for c in report.columns if c.picture is not None), key=lambda c: -c.effect)
    entries = [(OVERVIEW, ""), *((_entry(column), column.name) for column in columns)]
    first = next((c.name for c in report.drifted if c.picture is not None), "")
    choice = ipywidgets.Dropdown(options=entries, value=first, description="Show", layout={"width": "26em"})
    drawing = ipywidgets.Output(layout={"width": "100%", "max_width": "900px"})

    def draw(change: Any = None) -> None:
        drawing.outputs = (_drawn(report, choice.value),)

    choice.observe(draw, names="value")
    draw()
    return ipywidgets.VBox([ipywidgets.HTML(table(report)), choice, drawing])


def _entry(column: ColumnDrift) -> str:
    name = column.name if len(column.name) <= 40 else column.name[:39] + "…"
    return f"{name} · {column.verdict.value}" + (f" {column.effect:.2f}" if column.finding else "")


def _drawn(report: DriftReport, name: str) -> dict[str, Any]:
    """Return a plot as an output of the notebook format: plotly's MIME type, and text for front ends without plotly."""
    import json

    from mlops_jupyter.services.drift.plots import distribution, overview

    figure = distribution(report[name]) if name else overview(report)
    content = json.loads(figure.to_json())
    content["config"] = {"displaylogo": False}  # "responsive" leaves a figure drawn before it is on the page empty
    data = {"application/vnd.plotly.v1+json": content, "text/plain": f"plot of {name or 'all columns'}"}
    return {"output_type": "display_data", "data": data, "metadata": {}}
