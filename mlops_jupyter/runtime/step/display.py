"""What a step shows: `display(...)`, plots and tables, kept as files of the run; text goes to the step's log.

The engine calls `begin` before a step and `shown` after it; a step's function called by hand only prints.
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
"""How an object shows itself in a notebook, the best first: a method of it, what that gives, the ending of its file."""

SHOWS = frozenset({"_repr_mimebundle_", *(method for method, _, _ in REPRESENTATIONS)})
NO_FILE = frozenset({"get_params", "_model_name"})
"""What an estimator has, whose diagram is not worth a file, and a widget, which makes none."""

_kept: list[tuple[str, bytes]] | None = None


def display(*values: object, **options: object) -> None:
    """Keep what can be drawn, and print the rest. The options (`display_id`, `raw`, ...) are the front end's."""
    for value in values:
        _safely(_show, value)


def draws(value: object) -> bool:
    """Whether a notebook draws a value: a table, a figure."""
    names = {name for base in type(value).__mro__ for name in vars(base)}
    return bool(names & SHOWS) and not names & NO_FILE


def begin() -> None:
    """Keep what is shown from now on, in this process."""
    global _kept
    _kept = []
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.show = lambda *given, **options: _safely(_show_figures, None)
    if "plotly" in sys.modules:  # which loads the rest of itself when it is used
        plotly: Any = importlib.import_module("plotly.basedatatypes")
        plotly.BaseFigure.show = lambda figure, *given, **options: display(figure)


def shown() -> list[tuple[str, bytes]]:
    """Return what was shown since `begin`, with the figures that are still open: (ending, content) in order."""
    _safely(_show_figures, None)
    return _kept or []


def _safely(show: Callable[[Any], None], value: object) -> None:
    """A step does not fail because of what it shows."""
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
    several = _several(value)
    for method, kind, ending in REPRESENTATIONS:
        made = getattr(value, method)() if hasattr(type(value), method) else several.get(kind)
        if isinstance(made, str) and ending == "png":
            made = base64.b64decode(made)
        if isinstance(made, bytes):
            return ending, made
        if isinstance(made, str):
            return ending, (f'<!DOCTYPE html>\n<meta charset="utf-8">\n{made}' if ending == "html" else made).encode()
    if any(kind.startswith("application/vnd.vega") for kind in several):  # a chart of Altair's, whole
        return "html", value.to_html().encode()
    return None


def _several(value: Any) -> dict[str, Any]:
    """Return kind -> representation, of an object that gives several at once."""
    made = value._repr_mimebundle_() if hasattr(type(value), "_repr_mimebundle_") else None
    return dict((made[0] if isinstance(made, tuple) else made) or {})


def _show_figures(_: object) -> None:
    """Keep pyplot's open figures, and close them as Jupyter does, unless they stayed open in the notebook."""
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
    """Whether the notebook left its figures open; the engine sets this for every step of such a pipeline."""
    return "FIGURES_STAY_OPEN" in os.environ
