"""Figures as files: matplotlib's as png, plotly's as html and json."""

from __future__ import annotations

import io
import sys
from collections.abc import Container, Mapping
from typing import Any


def open_figures(names: Mapping[str, object] | None = None, without: Container[int] = ()) -> dict[str, bytes]:
    """Draw every figure that pyplot holds open. Nothing is imported: without pyplot there is none.

    Parameters
    ----------
    names : variables, for a figure's file to be called as its variable is.
    without : numbers of figures to leave out.

    Returns
    -------
    dict of file name -> png bytes.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return {}
    called = {id(value): name for name, value in (names or {}).items() if not name.startswith("_")}
    return {
        f"{called.get(id(figure)) or _label(figure, number)}.png": png(figure)
        for number in pyplot.get_fignums()
        if number not in without and (figure := pyplot.figure(number)).axes
    }


def numbers() -> frozenset[int]:
    """Return the numbers of the figures that pyplot holds open."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return frozenset(pyplot.get_fignums()) if pyplot else frozenset()


def _label(figure: Any, number: int) -> str:
    label = "".join(c if c.isalnum() or c in "-_" else "_" for c in str(figure.get_label() or ""))
    return label or f"figure_{number}"


def png(figure: Any) -> bytes:
    """Return a matplotlib figure as png."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight")
    return stream.getvalue()


def is_plotly(value: object) -> bool:
    """Tell a plotly figure without importing plotly."""
    module = sys.modules.get("plotly.basedatatypes")
    return module is not None and isinstance(value, module.BaseFigure)


def is_matplotlib(value: object) -> bool:
    """Tell a matplotlib figure without importing matplotlib."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def stem(name: str) -> str:
    """Return a figure's name without the ending of a file that it will be kept as."""
    return name.rsplit(".", 1)[0] if name.endswith((".png", ".html", ".json")) else name


def files(name: str, figure: Any) -> dict[str, bytes]:
    """Return the files that a figure of either kind is kept as.

    The html takes plotly's script from its public address, as MLflow's own `log_figure` does; the json needs none.
    """
    if is_plotly(figure):
        html = figure.to_html(include_plotlyjs="cdn", full_html=True)
        return {f"{name}.html": html.encode(), f"{name}.json": figure.to_json().encode()}
    if is_matplotlib(figure):
        return {f"{name}.png": png(figure)}
    return {}
