"""Figures as files: matplotlib's as png, plotly's as html and json."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Container, Mapping
from typing import Any

from .metric_values import NotLoggableError


class Shown:
    """Saves pyplot's figures when `plt.show()` is called, because Jupyter and a bundle's step close them then.

    `begin` replaces `pyplot.show`; `end` restores it and returns the figures that were shown or are open.
    """

    def __init__(self) -> None:
        self._ours: Any = None
        self._theirs: Any = None
        self._without: Container[int] = ()
        self._taken: dict[int, tuple[Any, str, bytes]] = {}  # with the figure, so that nothing else gets its id

    def begin(self, without: Container[int] = ()) -> None:
        """Save the figures that are shown from now on, except those of these numbers."""
        self.forget()
        self._without = without
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            self._theirs = pyplot.show
            self._ours = pyplot.show = self._around(pyplot.show)

    def _around(self, show: Callable[..., Any]) -> Callable[..., Any]:
        """Return `show` with saving before it: a function and no method, as pyplot sets attributes on it."""

        def shows(*given: Any, **options: Any) -> Any:
            self._take()
            return show(*given, **options)

        return shows

    def _take(self) -> None:
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        for number in pyplot.get_fignums() if pyplot is not None else ():
            figure = pyplot.figure(number)
            if number not in self._without and figure.axes:
                self._taken[id(figure)] = figure, _label(figure, number), png(figure)

    def end(self, names: Mapping[str, object] | None = None) -> dict[str, bytes]:
        """Return file name -> png bytes; a figure's file is named after the figure's variable in `names`."""
        self._take()
        variables = {id(value): name for name, value in (names or {}).items() if not name.startswith("_")}
        images: dict[str, bytes] = {}
        for figure, label, data in self._taken.values():
            stem, number = variables.get(id(figure)) or label, 1
            while f"{stem}.png" in images:  # figures that are shown and closed are each number 1
                number += 1
                stem = f"{label}_{number}"
            images[f"{stem}.png"] = data
        self.forget()
        return images

    def forget(self) -> None:
        """Restore `pyplot.show`, and forget the saved figures."""
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        if self._ours is not None and pyplot.show is self._ours:
            pyplot.show = self._theirs
        self._ours, self._without, self._taken = None, (), {}


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
    """Return whether a value is a plotly figure; plotly is not imported."""
    module = sys.modules.get("plotly.basedatatypes")
    return module is not None and isinstance(value, module.BaseFigure)


def is_matplotlib(value: object) -> bool:
    """Return whether a value is a matplotlib figure; matplotlib is not imported."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def stem(name: str) -> str:
    """Return a figure's name without the suffix of the file that will hold it."""
    return name.rsplit(".", 1)[0] if name.endswith((".png", ".html", ".json")) else name


def files(name: str, figure: Any) -> dict[str, bytes]:
    """Return file name -> bytes for a matplotlib or plotly figure; nothing for any other value.

    The html takes plotly's script from its public address, as MLflow's own `log_figure` does; the json needs none.
    """
    if is_plotly(figure):
        html = figure.to_html(include_plotlyjs="cdn", full_html=True)
        return {f"{name}.html": html.encode(), f"{name}.json": figure.to_json().encode()}
    if is_matplotlib(figure):
        return {f"{name}.png": png(figure)}
    return {}


def only_files(name: str, figure: Any) -> dict[str, bytes]:
    """Return the files of a figure under its name; raise `NotLoggableError` if the value is no figure."""
    figure_files = files(stem(name), figure)
    if not figure_files:
        raise NotLoggableError(
            f"{name!r} is a {type(figure).__name__}, not a matplotlib or plotly figure: use artifact()"
        )
    return figure_files


def with_named(drawn: Mapping[str, bytes], named: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of figures that were saved when shown, and those of the named figures that were not."""
    figure_files = dict(drawn)
    for name, figure in named.items():
        if not (is_matplotlib(figure) and f"{name}.png" in drawn):
            figure_files |= files(name, figure)
    return figure_files
