"""Run magics that only IPython knows in a shell of the step, for bundles made with `export --allow-ipython`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any


def in_ipython(
    text: str, given: Mapping[str, object], gives: Sequence[str] = (), extensions: Sequence[str] = ()
) -> tuple[Any, ...]:
    """Run a line or a cell in IPython; return its result, followed by the values of the names in `gives`.

    Parameters
    ----------
    given : variables of the step that the text may use; an object that it changes in place changes in the step too.
    gives : names that the text binds.
    extensions : modules that the notebook loaded with `%load_ext`.
    """
    shell = _shell()
    for extension in extensions:
        shell.extension_manager.load_extension(extension)
    shell.user_ns.update(given)
    result = shell.run_cell(text, store_history=False)
    result.raise_error()
    return (result.result, *(shell.user_ns[name] for name in gives))


@cache
def _shell() -> Any:
    """Return the shell for all magics of a step; its profile is in a temporary folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    return InteractiveShell.instance(config=config, ipython_dir=tempfile.mkdtemp(prefix="ipython-"))
