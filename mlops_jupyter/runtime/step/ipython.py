"""What `export --allow-ipython` keeps: a magic that only IPython knows runs in a shell that the step makes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any


def in_ipython(
    text: str, given: Mapping[str, object], gives: Sequence[str] = (), extensions: Sequence[str] = ()
) -> tuple[Any, ...]:
    """Run a line or a cell as IPython does; return what it gave, and then the names asked for.

    Parameters
    ----------
    given : the step's names that it may use. What it changes in place is changed in the step.
    gives : names that it binds.
    extensions : modules that were loaded with `%load_ext`.
    """
    shell = _shell()
    for extension in extensions:
        shell.extension_manager.load_extension(extension)
    shell.user_ns.update(given)
    done = shell.run_cell(text, store_history=False)
    done.raise_error()
    return (done.result, *(shell.user_ns[name] for name in gives))


@cache
def _shell() -> Any:
    """One shell for all magics of a step; its profile lies in a temporary folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    return InteractiveShell.instance(config=config, ipython_dir=tempfile.mkdtemp(prefix="ipython-"))
