"""State of the process that no artifact carries: what was set up in libraries, and the figures that pyplot has open.

Of the first it is enough to know that a cell did it, and whether its statements can be repeated elsewhere. Of the
second, whether a cell drew on a figure that an earlier one left open.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_jupyter.analysis.facts import SourceFacts, Statement
from mlops_jupyter.analysis.graph import DRAWING, SETTINGS, SHOWN
from mlops_jupyter.capture.reach import CODE
from mlops_jupyter.capture.values import UNKNOWN

ASKS = re.compile(r"\b(gcf|gca|gci|sci|get_fignums|fignum_exists)\(|\bplt\.figure\(\s*\w")
"""What asks pyplot for the figures that there are."""

Figures = dict[int, tuple[Any, ...]]


class Uncarried:
    """Looks at both borders of a cell. Costs nothing as long as pyplot has no figure open."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._figures: Figures = {}
        self._shown = False

    def begin(self) -> None:
        """Remember what is drawn before the cell."""
        self._figures = _figures()
        self._shown = False

    def ran(self) -> None:
        """Called when a cell's code has ended, before Jupyter shows the figures that it left open and closes them."""
        self._shown = bool(_figures())

    def end(self, text: str, found: SourceFacts, read: Iterable[str]) -> tuple[set[str], dict[str, str]]:
        """Return what the cell read and wrote of such state, as of other hidden variables.

        Parameters
        ----------
        read : names whose values the cell read.
        """
        writes = {}
        settings = [s for s in found.statements if s.sets_up and self._of_a_library(s.sets_up)]
        if settings:
            writes[SETTINGS] = "code" if all(self._repeatable(s, found) for s in settings) else UNKNOWN
        before, after = self._figures, _figures()
        if self._shown and not after:
            writes[DRAWING] = SHOWN
        if before == after and not (before and ASKS.search(text)):
            return set(), writes
        held = {id(figure) for name in read for figure in _of(self._namespace.get(name))}
        drawn_on = {key for key, drawing in before.items() if after.get(key) != drawing} - held
        if after != before and after:
            writes[DRAWING] = UNKNOWN
        return ({DRAWING} if drawn_on or (before and ASKS.search(text)) else set()), writes

    def _of_a_library(self, name: str) -> bool:
        value = self._namespace.get(name)
        return isinstance(value, types.ModuleType) or (
            isinstance(value, CODE) and getattr(value, "__module__", "__main__") != "__main__"
        )

    def _repeatable(self, statement: Statement, found: SourceFacts) -> bool:
        """Whether a statement uses nothing but code, also in the functions that it names."""
        seen: set[str] = set()
        todo = [*statement.reads, *(n for name in statement.writes for n in found.late_reads.get(name, ()))]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += found.late_reads.get(name, ())
        return all(isinstance(self._namespace[n], CODE) for n in seen if n in self._namespace)


def _figures() -> Figures:
    """Return what is drawn on each figure that pyplot has open, by the figure's `id`; in brief, for it is cheap."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is None or not helpers.Gcf.figs:
        return {}
    return {id(m.canvas.figure): _drawing(m.canvas.figure) for m in helpers.Gcf.figs.values()}


def _drawing(figure: Any) -> tuple[Any, ...]:
    axes = [
        (len(one.get_children()), one.get_title(), one.get_xlabel(), one.get_ylabel(), one.get_legend() is None)
        for one in figure.axes
    ]
    return (len(figure.get_children()), tuple(axes))


def _of(value: Any) -> list[Any]:
    """Return the figures that a value lies on: an artist, or an array or list of such."""
    numpy = sys.modules.get("numpy")
    if isinstance(value, list | tuple) or (numpy and isinstance(value, numpy.ndarray) and value.dtype == object):
        parts = list(value.flat) if hasattr(value, "flat") else list(value)
        return [figure for part in parts[:100] if not isinstance(part, list | tuple) for figure in _of(part)]
    artist = sys.modules.get("matplotlib.artist")
    if artist is not None and isinstance(value, artist.Artist):
        return [value.figure]
    return []
