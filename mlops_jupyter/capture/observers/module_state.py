"""What modules keep for themselves between calls: duckdb's default connection. No value of the notebook holds it."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.capture.value_kinds import is_a
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import MODULE_STATE

CALLS = {
    "duckdb": re.compile(
        r"\b(sql|execute|executemany|query|register|unregister|install_extension|load_extension|begin|commit|rollback"
        r"|create_function|remove_function|set_default_connection|table|view|append)\s*\("
    )
}
"""Module that keeps a state of its own -> the calls that use it."""

LOOKS = re.compile(
    r"\(\s*[rfRF]*(\"\"\"|'''|\"|')\s*(select|from|with|describe|summarize|show|explain)\b", re.IGNORECASE
)
"""What follows the name of a call whose query changes nothing."""


class ModuleState:
    """Tells which cells use and change such a state, by what they say. Remembers which functions do."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._users: dict[str, dict[str, bool]] = {}

    def before(self, cell: ActiveCell) -> None:
        """Do nothing: what a cell does to such a state is told by its text."""

    def after(self, cell: ActiveCell) -> Accesses:
        """Return the states that the cell used, and those that it may have changed."""
        used = self._said(cell.body)
        for name in cell.facts.definitions:
            self._users.pop(name, None)
            if used:
                self._users[name] = used
        for name in cell.reads:
            for module, changes in self._users.get(name, {}).items():
                used = {**used, module: changes or used.get(module, False)}
        if not used:
            return NOTHING
        changed = [MODULE_STATE + module for module, changes in used.items() if changes]
        return Accesses({MODULE_STATE + module for module in used}, dict.fromkeys(changed, Mark.UNKNOWN))

    def _said(self, text: str) -> dict[str, bool]:
        """Return module -> whether the text may change its state, for each that the text uses."""
        used = {}
        for module, calls in ((name, calls) for name, calls in CALLS.items() if name in sys.modules):
            names = [n for n, v in self._namespace.items() if is_a(v, types.ModuleType) and v.__name__ == module]
            own = [match for name in names for match in re.finditer(rf"\b{re.escape(name)}\.(\w+)", text)]
            ends = [call.end() - 1 for match in own if (call := calls.match(text, match.start(1)))]
            if ends:
                used[module] = not all(LOOKS.match(text, end) for end in ends)
        return used
