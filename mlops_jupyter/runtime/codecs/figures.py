"""The png and html codecs: pictures of figures, which cannot be turned back into the figures."""

from __future__ import annotations

import io
import sys
from typing import Any

RESOLUTION = 100
"""Dots an inch, whatever the machine's settings, so that the same figure gives the same picture."""


def drawn(value: Any) -> bool:
    """Return whether a value is a matplotlib figure, or lies on one: axes, a line, an array of axes."""
    return figure_of(value) is not None


def figure_of(value: Any) -> Any:
    """Return the figure that a value is or lies on; None if there is none, or more than one."""
    artist, numpy = sys.modules.get("matplotlib.artist"), sys.modules.get("numpy")
    if artist is None:
        return None
    if numpy is not None and issubclass(type(value), numpy.ndarray) and value.dtype == object and value.size:
        figures = {id(one): one for one in map(figure_of, value.flat)}
        return figures.popitem()[1] if len(figures) == 1 else None
    figure = getattr(sys.modules.get("matplotlib.figure"), "Figure", ())  # not loaded until there is one
    # by the class alone: `isinstance` would ask the value's own `__class__`, which may raise
    while issubclass(type(value), artist.Artist) and not issubclass(type(value), figure):
        value = value.figure
    return value if issubclass(type(value), artist.Artist) else None


def picture(value: Any) -> bytes:
    """Return the figure that a value is or lies on as a PNG file, without matplotlib's version in it."""
    stream = io.BytesIO()
    figure_of(value).savefig(stream, format="png", dpi=RESOLUTION, metadata={"Software": None})
    return stream.getvalue()


def interactive(value: Any) -> bool:
    """Return whether a value is a plotly figure."""
    plotly = sys.modules.get("plotly.basedatatypes")
    return plotly is not None and isinstance(value, plotly.BaseFigure)


def page(value: Any) -> bytes:
    """Return a plotly figure as one HTML file that needs no network."""
    return str(value.to_html(full_html=True, include_plotlyjs=True, div_id="figure")).encode()


def load_picture(data: bytes) -> bytes:
    """Return the bytes of a PNG file as they are."""
    return data


def load_page(data: bytes) -> str:
    """Return the text of an HTML file."""
    return data.decode()
