"""Hidden variables around a cell: random states, environment, options of libraries."""

from __future__ import annotations

from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import MATPLOTLIB_RC, NUMPY_PRINT, PANDAS_OPTIONS, RANDOM, SKLEARN_CONFIG
from mlops_jupyter.runtime.hidden.registry import names_now
from mlops_jupyter.runtime.hidden.watcher import HiddenStateWatcher

OPTIONS = frozenset({PANDAS_OPTIONS, SKLEARN_CONFIG, MATPLOTLIB_RC})
"""Those of which it can be told whether somebody has set them: their values are what differs from the defaults."""

CUT = OPTIONS | {NUMPY_PRINT}
"""Those whose values leave out functions."""


class HiddenVariables:
    """Observes state that a cell accesses without naming it. Files are observed elsewhere."""

    def __init__(self) -> None:
        self._watch = HiddenStateWatcher()
        self._set_before = {name for name in OPTIONS & names_now() if self._watch.initial(name)}

    def before(self, cell: ActiveCell) -> None:
        """Take the state now as that before the cell."""
        self._watch.mark()

    def after(self, cell: ActiveCell) -> Accesses:
        """Return the hidden variables that changed.

        A random state that moved was read too, since where it went depends on where it was. Options that were set
        before recording began may be read by any cell. Options among which a function came or went are marked as
        unknown: their value does not hold it.
        """
        changed = self._watch.changed()
        if not changed and not self._set_before:
            return NOTHING
        writes = dict.fromkeys(sorted(changed), Mark.STATE)
        if not changed.isdisjoint(CUT):
            writes |= dict.fromkeys(self._watch.cut(changed), Mark.UNKNOWN)
        return Accesses({*self._set_before, *(changed & RANDOM)}, writes)

    def initial(self, name: str) -> object:
        """Return the value that a variable had before recording began, or when its library was imported."""
        return self._watch.initial(name)

    def close(self) -> None:
        """Stop observing imports."""
        self._watch.close()
