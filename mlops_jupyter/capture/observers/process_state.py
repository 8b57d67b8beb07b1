"""State of the process that no artifact carries: what was set up in libraries, and the figures that pyplot has open.

Of the first it is enough to know that a cell did it, and whether its statements can be repeated elsewhere. Of the
second, whether a cell drew on a figure that an earlier one left open.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_jupyter.analysis.cells import SegmentKind, segments
from mlops_jupyter.analysis.facts.extract import SourceFacts, Statement
from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.capture.observers.hidden import CUT
from mlops_jupyter.capture.value_kinds import CODE, is_a
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import DRAWING, SETTINGS

ASKS = re.compile(r"\b(gcf|gca|gci|sci|get_fignums|fignum_exists)\(")
"""What asks pyplot for the figures that there are."""

ASKED_FOR = re.compile(r"\bplt\.figure\(\s*([^\s,()=]+)\s*[,)]|[(,]\s*num\s*=\s*([^\s,()]+)")
"""What asks for the figure of a number or name: a new one, if there is none yet."""

Figures = dict[int, tuple[Any, ...]]


class ProcessState:
    """Observes libraries that are set up, figures of pyplot, and shell lines; costs little while no figure is open."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._figures: Figures = {}
        self._numbers: set[str] = set()
        self._shown = False

    def before(self, cell: ActiveCell) -> None:
        """Remember what is drawn on the open figures."""
        self._figures = _figures()
        self._numbers = {str(number) for number in _managers()} if self._figures else set()
        self._shown = False

    def body_ended(self) -> None:
        """Note open figures when a cell's code has ended, before Jupyter shows them and closes them."""
        self._shown = bool(_figures())

    def after(self, cell: ActiveCell) -> Accesses:
        """Return what the cell read and wrote of such state, as of other hidden variables."""
        settings = [s for s in cell.facts.statements if self._sets_up(s, cell.writes)]
        writes = self._settings(settings, cell.facts)
        before, after = self._figures, _figures()
        if self._shown and not after:
            writes[DRAWING] = Mark.SHOWN
        elif after and after != before:
            writes[DRAWING] = Mark.UNKNOWN
        drawn_on = (before and self._asks(cell.body)) or self._drawn_on(before, after, cell.reads)
        notes = [*_lost_options(settings, cell.writes), *self._failed_shell_line(cell.body)]
        return Accesses({DRAWING} if drawn_on else set(), writes, notes) if drawn_on or writes or notes else NOTHING

    def _sets_up(self, statement: Statement, writes: Mapping[str, str]) -> bool:
        """Whether a statement set up a library, and what it set is not the value of a hidden variable."""
        if not statement.sets_up or (statement.option and writes.get(statement.option) != Mark.UNKNOWN):
            return False
        return self._of_a_library(statement.sets_up)

    def _settings(self, settings: Sequence[Statement], facts: SourceFacts) -> dict[str, str]:
        """Return the write of `SETTINGS` if the cell set up a library, with whether that uses code alone."""
        used = {name for statement in settings for name in facts.uses(statement)}
        return {SETTINGS: Mark.CODE if all(map(self._is_code, used)) else Mark.UNKNOWN} if settings else {}

    def _failed_shell_line(self, body: str) -> list[str]:
        """Return a note on a shell line that failed, which does not stop a notebook, but does stop a step."""
        code = self._namespace.get("_exit_code")
        failed = code and any(piece.kind is SegmentKind.SHELL and not piece.assigned for piece in segments(body))
        return [f"a shell command of it ended with code {code}: there the step fails"] if failed else []

    def _asks(self, text: str) -> bool:
        """Whether a cell asks for figures that were open before it, as far as its text tells."""
        asked = {first or second for first, second in ASKED_FOR.findall(text)}
        return bool(ASKS.search(text)) or any(not one.isdigit() or one in self._numbers for one in asked)

    def _drawn_on(self, before: Figures, after: Figures, read: Iterable[str]) -> bool:
        """Whether a figure that was open before the cell is another now, and the cell had it from pyplot."""
        touched = {key for key, drawing in before.items() if after.get(key) != drawing}
        return bool(touched and touched - {id(f) for name in read for f in _of(self._namespace.get(name))})

    def _of_a_library(self, name: str) -> bool:
        value = self._namespace.get(name)
        return is_a(value, types.ModuleType) or (
            is_a(value, *CODE) and getattr(value, "__module__", "__main__") != "__main__"
        )

    def _is_code(self, name: str) -> bool:
        """Whether a name stands for code, or for nothing of the notebook's."""
        return name not in self._namespace or is_a(self._namespace[name], *CODE)


def _lost_options(settings: Sequence[Statement], writes: Mapping[str, str]) -> list[str]:
    """Return a note for each kind of options that no value carries whole and that no statement sets by itself."""
    repeated = {statement.option for statement in settings}
    lost = [name.removeprefix("~") for name in CUT if writes.get(name) == Mark.UNKNOWN and name not in repeated]
    return [
        f"it sets one of {name} to a function, which reaches no later step: a statement of its own would be repeated"
        for name in sorted(lost)
    ]


def _figures() -> Figures:
    """Return a short, cheap description of what is drawn on each figure that pyplot has open, by the figure's `id`."""
    return {id(m.canvas.figure): _drawing(m.canvas.figure) for m in _managers().values()}


def _managers() -> Mapping[int, Any]:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return {} if helpers is None else helpers.Gcf.figs


def _drawing(figure: Any) -> tuple[Any, ...]:
    axes = [
        (len(one.get_children()), one.get_title(), one.get_xlabel(), one.get_ylabel(), one.get_legend() is None)
        for one in figure.axes
    ]
    return (len(figure.get_children()), tuple(axes))


def _of(value: Any) -> list[Any]:
    """Return the figures that a value lies on: an artist, or an array or list of such."""
    from mlops_jupyter.runtime.codecs.figures import figure_of

    numpy = sys.modules.get("numpy")
    if numpy is not None and is_a(value, numpy.ndarray) and value.dtype == object:
        value = list(value.flat)
    parts = value[:100] if is_a(value, list, tuple) else [value]
    return [figure for part in parts if (figure := figure_of(part)) is not None]
