"""Figures as files: matplotlib's as png, plotly's as html and json."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Container, Mapping
from typing import Any

from .metric_values import NotLoggableError


class Shown:
    """Takes pyplot's figures when `plt.show()` is called, for Jupyter and a bundle's step close them then.

    `begin` puts itself in the place of `pyplot.show`; `end` takes itself away and gives what was shown or is open.
    """

    def __init__(self) -> None:
        self._ours: Any = None
        self._theirs: Any = None
        self._without: Container[int] = ()
        self._taken: dict[int, tuple[Any, str, bytes]] = {}  # with the figure, so that nothing else gets its id

    def begin(self, without: Container[int] = ()) -> None:
        """Take what is shown from now on, but for the figures of these numbers."""
        self.forget()
        self._without = without
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            self._theirs = pyplot.show
            self._ours = pyplot.show = self._around(pyplot.show)

    def _around(self, show: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of its own (not a method): pyplot gives it attributes when its backend changes."""

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
        """Return file name -> png bytes, a figure's file called as its variable is."""
        self._take()
        called = {id(value): name for name, value in (names or {}).items() if not name.startswith("_")}
        found: dict[str, bytes] = {}
        for figure, label, data in self._taken.values():
            stem, number = called.get(id(figure)) or label, 1
            while f"{stem}.png" in found:  # of those that are shown and closed each is number 1 again
                number += 1
                stem = f"{label}_{number}"
            found[f"{stem}.png"] = data
        self.forget()
        return found

    def forget(self) -> None:
        """Give `pyplot.show` back, and keep nothing."""
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


def only_files(name: str, figure: Any) -> dict[str, bytes]:
    """Return the files of a figure, called by its name; raise `NotLoggableError` for what is no figure."""
    found = files(stem(name), figure)
    if not found:
        raise NotLoggableError(
            f"{name!r} is a {type(figure).__name__}, not a matplotlib or plotly figure: use artifact()"
        )
    return found


def with_named(drawn: Mapping[str, bytes], named: Mapping[str, Any]) -> dict[str, bytes]:
    """Return files of figures that were drawn when they were shown, and those of the named ones that were not."""
    found = dict(drawn)
    for name, figure in named.items():
        if not (is_matplotlib(figure) and f"{name}.png" in drawn):
            found |= files(name, figure)
    return found
