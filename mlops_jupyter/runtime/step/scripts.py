"""Run a script in a step, as `%run FILE` does in a notebook, and return variables that it binds.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from typing import Any


def run_script(name: str, arguments: Sequence[str] = (), gives: Sequence[str] = (), called: str = "__main__") -> Any:
    """Run a script of the bundle's `scripts` folder; return the values of the names in `gives`.

    Parameters
    ----------
    name : name of the script, without `.py`.
    arguments : what the script finds in `sys.argv` after its own name.
    gives : names that the script binds. One name gives its bare value, several a tuple.
    called : the script's `__name__`.
    """
    package = __package__.rsplit(".", 2)[0]
    before = sys.argv
    sys.argv = ["", *arguments]
    try:
        namespace = runpy.run_module(f"{package}.scripts.{name}", run_name=called, alter_sys=True)
    finally:
        sys.argv = before
    values = tuple(namespace[name] for name in gives)
    return values[0] if len(values) == 1 else values
