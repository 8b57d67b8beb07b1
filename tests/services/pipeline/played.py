"""A notebook played in this process, with the real recorder, and what its slices give when they run."""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint
from mlops_jupyter.runtime.hidden.registry import names_now, read, write
from mlops_jupyter.services.pipeline.query.slices import Slice, slice_of
from mlops_jupyter.surfaces.magics import load, session_of, unload
from mlops_jupyter.surfaces.magics.bundle_code import BundleTranslator
from mlops_jupyter.surfaces.magics.notebook import Notebook

Run = Callable[[str], object]


@contextmanager
def session(before: str = "") -> Iterator[tuple[Run, Notebook]]:
    """Open a shell with the extension on, in a folder of its own; give what runs a cell there, and its notebook.

    Parameters
    ----------
    before : a cell that runs before the extension is loaded.
    """
    here, main = Path.cwd(), sys.modules["__main__"]
    states = {name: read(name) for name in names_now()}
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        os.chdir(folder)
        shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
        if before:
            shell.run_cell(before)
        load(shell)
        try:
            yield lambda cell: shell.run_cell(cell, store_history=True), session_of(shell).notebook
        finally:
            unload(shell)
            atexit.unregister(shell.atexit_operations)  # it would tidy up a namespace that is long gone
            sys.modules["__main__"] = main
            os.chdir(here)
            for name, value in states.items():
                write(name, value)


def sliced(notebook: Notebook, name: str) -> Slice:
    """Return the slice of a name."""
    return slice_of(notebook, name, BundleTranslator())


def statements(made: Slice) -> list[str]:
    """Return a slice's lines, without comments and blank lines."""
    return [line for line in made.text.splitlines() if line.strip() and not line.startswith("#")]


def replay(notebook: Notebook, made: Slice) -> Any:
    """Run a slice from the top in an empty namespace and folder; return the value that it gives its name."""
    for state in made.starts:
        if not state.startswith(FILE):
            write(state, notebook.initial(state))
    here = Path.cwd()
    space: dict[str, Any] = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            exec(compile(made.text, "<slice>", "exec", dont_inherit=True), space)
        finally:
            os.chdir(here)
    return space.get(made.name)


def same(one: object, other: object) -> bool:
    """Whether two values have one content; values that cannot be told are compared by what they say of themselves."""
    first, second = fingerprint(one), fingerprint(other)
    if isinstance(first, str) and isinstance(second, str):
        return first == second
    return type(one) is type(other) and first == second


def play(cells: Sequence[str], order: Sequence[int] | None, run: Run) -> None:
    """Run cells in an order; a cell that fails is part of the history."""
    for number in range(len(cells)) if order is None else order:
        run(cells[number])
