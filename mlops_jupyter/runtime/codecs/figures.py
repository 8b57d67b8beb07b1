"""png and html: pictures of figures. They show what was drawn and cannot be turned back into it."""

from __future__ import annotations

import io
import sys
from typing import Any

RESOLUTION = 100
"""Dots an inch, whatever the machine's settings, so that the same figure gives the same picture."""


def drawn(value: Any) -> bool:
    """Whether a value is a matplotlib figure."""
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.Figure)


def picture(value: Any) -> bytes:
    """Return a matplotlib figure as a PNG file (without the program's version in it)."""
    stream = io.BytesIO()
    value.savefig(stream, format="png", dpi=RESOLUTION, metadata={"Software": None})
    return stream.getvalue()


def interactive(value: Any) -> bool:
    """Whether a value is a plotly figure."""
    plotly = sys.modules.get("plotly.basedatatypes")
    return plotly is not None and isinstance(value, plotly.BaseFigure)


def page(value: Any) -> bytes:
    """Return a plotly figure as one HTML file that needs no network."""
    return str(value.to_html(full_html=True, include_plotlyjs=True, div_id="figure")).encode()


def load_picture(data: bytes) -> bytes:
    """Return the bytes of the PNG file."""
    return data


def load_page(data: bytes) -> str:
    """Return the text of the HTML file."""
    return data.decode()
