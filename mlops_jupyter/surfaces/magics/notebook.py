"""The notebook that this kernel runs: its file, variables and executions, as the pipeline service reads them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_jupyter.analysis.cells.outline import CodeCell, outline
from mlops_jupyter.capture.recorder import Recorder
from mlops_jupyter.core.executions import Execution

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def notebook_path(namespace: Mapping[str, Any]) -> Path | None:
    """Return the path of the .ipynb that this kernel runs if Jupyter Server or VS Code tells it, else None."""
    named = os.environ.get("JPY_SESSION_NAME") or namespace.get("__vsc_ipynb_file__")
    path = Path(str(named)) if named else None
    return path if path is not None and path.suffix == ".ipynb" else None


class Notebook:
    """One shell's recording (see `services.pipeline.ports.Recording`), which reads the notebook's file on demand."""

    def __init__(self, shell: InteractiveShell, recorder: Recorder, before: frozenset[str]) -> None:
        self._shell = shell
        self._recorder = recorder
        self.before = before
        self.folder = recorder.folder

    @property
    def history(self) -> Sequence[Execution]:
        """Every execution, oldest first."""
        return self._recorder.history

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The notebook's variables, without IPython's own."""
        return {n: v for n, v in self._shell.user_ns.items() if not self._recorder.ipython_names.owns(n)}

    @cached_property
    def path(self) -> Path | None:
        """The path of the notebook's file, None in a terminal."""
        return notebook_path(self._shell.user_ns)

    @property
    def name(self) -> str:
        """The default name of the pipeline: that of the notebook's file, else of its folder."""
        return self.path.stem if self.path else self.folder.name or "notebook"

    @property
    def cells(self) -> Sequence[CodeCell]:
        """The code cells of the notebook's file, none if there is no file that can be read."""
        if self.path is None:
            return ()
        try:
            return outline(json.loads(self.path.read_text(encoding="utf-8-sig")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return ()

    def initial(self, name: str) -> object:
        """Return the value that a hidden variable had before anything changed it."""
        return self._recorder.initial(name)

    def original(self, path: str) -> bytes | None:
        """Return what was in a data file before a cell overwrote it; None if none did, or if it is not known."""
        return self._recorder.original(path)
