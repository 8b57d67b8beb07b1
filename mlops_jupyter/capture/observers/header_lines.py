"""Our own cell-magic lines (`%%track`), whose handlers act around the body of a cell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from mlops_jupyter.capture.active_cell import ActiveCell, HeaderHandler
from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution


class HeaderLines:
    """Begins the handlers of a cell's header lines before its body, once the namespace before the cell is known.

    What a handler binds counts as bound by the cell. `end` is called by the recorder: handlers get the execution.
    """

    def __init__(self, namespace: Mapping[str, Any], rebound: Callable[[ActiveCell], set[str]]) -> None:
        self.handlers: dict[str, HeaderHandler] = {}
        self._namespace = namespace
        self._rebound = rebound

    def before(self, cell: ActiveCell) -> None:
        """Begin the handlers; note the names that they bind."""
        if not cell.headers:
            return
        for header in cell.headers:
            handler = self.handlers.get(header.name)
            if handler is not None:
                try:
                    state = handler.begin(header.line, cell.body)
                    cell.begun.append((handler, state))
                    cell.bound |= handler.bound(state)  # perhaps to the very object that was there
                except UserError as fault:
                    cell.usage_errors.append(f"%%{header.name}: {fault}")
        cell.bound |= self._rebound(cell)

    def after(self, cell: ActiveCell) -> Accesses:
        """Return nothing: handlers work for the notebook's author, not for the cell."""
        return NOTHING

    def end(self, cell: ActiveCell, execution: Execution) -> None:
        """End the handlers that were begun, and show what was wrong with header lines."""
        for handler, state in cell.begun:
            try:
                handler.end(state, execution, self._namespace)
            except UserError as fault:
                cell.usage_errors.append(str(fault))
        for line in cell.usage_errors:
            print(f"UsageError: {line}", file=sys.stderr)
