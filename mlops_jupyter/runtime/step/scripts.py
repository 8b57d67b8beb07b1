"""What `%run FILE` of a notebook does in a step: the file runs as a program, and hands over what it bound."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from typing import Any


def run_script(name: str, arguments: Sequence[str] = (), gives: Sequence[str] = (), called: str = "__main__") -> Any:
    """Run a file of the bundle's `scripts`.

    Parameters
    ----------
    arguments : what it finds in `sys.argv` after its own name.
    gives : names that it binds, to be returned: the bare value for one, a tuple for more.
    called : its `__name__`.
    """
    package = __package__.rsplit(".", 2)[0]
    before = sys.argv
    sys.argv = ["", *arguments]
    try:
        made = runpy.run_module(f"{package}.scripts.{name}", run_name=called, alter_sys=True)
    finally:
        sys.argv = before
    values = tuple(made[one] for one in gives)
    return values[0] if len(values) == 1 else values
