"""Which names of the namespace are IPython's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NUMBERED = re.compile(
    r"_+|_i+|_\d+|_i\d+|_oh|_dh|_ih|_sh|In|Out|_exit_code"
    r"|__(name|doc|nonzero|file|package|loader|spec|path|builtins?|annotations|warningregistry|session)__"
).fullmatch
"""What IPython itself puts among the user's names after each cell."""

GIVEN = ("exit", "quit", "get_ipython", "open")
"""What it puts there once, until the user binds such a name."""


class IPythonNames:
    """Knows what IPython has put among the names of a shell. Answers only."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._given = {name: id(namespace[name]) for name in GIVEN if name in namespace}

    def owns(self, name: str) -> bool:
        """Whether a name is IPython's own, with what IPython has put there."""
        given = self._given.get(name)
        return bool(NUMBERED(name)) or (given is not None and given == id(self._namespace.get(name)))
