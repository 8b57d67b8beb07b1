"""Displays of a step: `display(...)`, plots and tables become files of the run; text goes to the step's log.

A step's job calls `begin` before the step's function and `shown` after it; a function called by hand only prints.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import base64
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from ..codecs.figures import drawn, interactive, picture

REPRESENTATIONS = (
    ("_repr_html_", "text/html", "html"),
    ("_repr_svg_", "image/svg+xml", "svg"),
    ("_repr_png_", "image/png", "png"),
)
"""How a notebook displays an object, best first: method of the object, its media type, file ending."""

SHOWS = frozenset({"_repr_mimebundle_", *(method for method, _, _ in REPRESENTATIONS)})
NO_FILE = frozenset({"get_params", "_model_name"})
"""Attributes of objects that get no file: of an estimator, whose diagram is not worth one, and of a widget."""

_kept: list[tuple[str, bytes]] | None = None


def display(*values: object, **options: object) -> None:
    """Keep each value that can be drawn as a file; print all values but plots. Options of a front end are ignored."""
    for value in values:
        _safely(_show, value)


def draws(value: object) -> bool:
    """Whether a notebook draws a value rather than printing it, like a table or a figure."""
    names = {name for base in type(value).__mro__ for name in vars(base)}
    return bool(names & SHOWS) and not names & NO_FILE


def begin() -> None:
    """Begin to keep the displays of this process, also those of `pyplot.show` and of Plotly's figures."""
    global _kept
    _kept = []
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.show = lambda *given, **options: _safely(_show_figures, None)
    if "plotly" in sys.modules:  # its submodules are imported only when they are used
        plotly: Any = importlib.import_module("plotly.basedatatypes")
        plotly.BaseFigure.show = lambda figure, *given, **options: display(figure)


def shown() -> list[tuple[str, bytes]]:
    """Return the displays since `begin`, and the figures that are still open, in order: (file ending, content)."""
    _safely(_show_figures, None)
    return _kept or []


def _safely(show: Callable[[Any], None], value: object) -> None:
    """Show a value; print an error rather than raise it, so that no step fails because of a display."""
    try:
        show(value)
    except Exception as fault:
        print(f"not shown: {type(value).__name__}: {type(fault).__name__}: {fault}", file=sys.stderr)


def _show(value: Any) -> None:
    file = None if _kept is None else _drawn(value)
    if file is None or not (drawn(value) or interactive(value)):
        print(value)
    if file is not None and _kept is not None:
        _kept.append(file)


def _drawn(value: Any) -> tuple[str, bytes] | None:
    if drawn(value):
        return "png", picture(value)
    if interactive(value):
        return "html", value.to_html(include_plotlyjs="cdn", full_html=True).encode()
    bundle = _several(value)
    for method, kind, ending in REPRESENTATIONS:
        content = getattr(value, method)() if hasattr(type(value), method) else bundle.get(kind)
        if isinstance(content, str) and ending == "png":
            content = base64.b64decode(content)
        if isinstance(content, bytes):
            return ending, content
        if isinstance(content, str):
            page = f'<!DOCTYPE html>\n<meta charset="utf-8">\n{content}' if ending == "html" else content
            return ending, page.encode()
    if any(kind.startswith("application/vnd.vega") for kind in bundle):  # a whole chart of Altair
        return "html", value.to_html().encode()
    return None


def _several(value: Any) -> dict[str, Any]:
    """Return the MIME bundle of an object: media type -> representation; empty if it has none."""
    bundle = value._repr_mimebundle_() if hasattr(type(value), "_repr_mimebundle_") else None
    return dict((bundle[0] if isinstance(bundle, tuple) else bundle) or {})


def _show_figures(_: object) -> None:
    """Keep pyplot's open figures, and close them as Jupyter does, unless the notebook leaves them open."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or _kept is None:
        return
    for figure in [manager.canvas.figure for manager in _managers()]:
        file = ("png", picture(figure)) if figure.axes else None
        if file is not None and not (stay_open() and file in _kept):
            _kept.append(file)
        if not stay_open():
            pyplot.close(figure)


def _managers() -> list[Any]:
    helpers: Any = sys.modules["matplotlib._pylab_helpers"]
    return list(helpers.Gcf.figs.values())


def stay_open() -> bool:
    """Whether the notebook leaves its figures open; the pipeline's `environment` tells each step so."""
    return "FIGURES_STAY_OPEN" in os.environ
