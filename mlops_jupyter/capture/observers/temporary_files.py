"""Files in the system's temporary folder, which as a rule are one cell's own business.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

from dataclasses import replace

from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.capture.observers.file_variables import FileVariables
from mlops_jupyter.core.executions import Execution


class TemporaryFiles:
    """Takes out accesses to temporary files that no other execution uses. The last observer to end: it sees them all.

    Whether an execution is the only one is known later, so this changes the history: when a second execution uses a
    file, the first one's access is put back into its record.
    """

    def __init__(self, files: FileVariables, history: list[Execution]) -> None:
        self._files = files
        self._history = history
        self._first: dict[str, tuple[int, bool, str | None]] = {}
        """Variable -> the only execution so far: its position, whether it read the file, what it wrote."""
        self._shared: set[str] = set()

    def before(self, cell: ActiveCell) -> None:
        """Do nothing: what was there before does not matter."""

    def after(self, cell: ActiveCell) -> Accesses:
        """Return nothing; take the accesses out of the cell, or put those of an earlier cell back."""
        for name in [*filter(self._files.is_temporary, cell.reads | cell.writes.keys())]:
            if name in self._shared:
                continue
            if name in self._first:
                self._shared.add(name)
                self._put_back(name, *self._first.pop(name))
            else:
                self._first[name] = (len(self._history), name in cell.reads, cell.writes.pop(name, None))
                cell.reads.discard(name)
        return NOTHING

    def _put_back(self, name: str, position: int, was_read: bool, mark: str | None) -> None:
        first = self._history[position]
        reads = first.reads | {name} if was_read else first.reads
        writes = first.writes if mark is None else {**first.writes, name: mark}
        self._history[position] = replace(first, reads=reads, writes=writes)
