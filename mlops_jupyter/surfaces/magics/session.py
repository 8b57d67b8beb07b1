"""The session that a magic works with: the shell it was typed in, the project and the recorder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_jupyter.core.errors import UserError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlops_jupyter.capture.recorder import Recorder
    from mlops_jupyter.services.pipeline.ports import Magics
    from mlops_jupyter.surfaces.magics.notebook import Notebook
    from mlops_jupyter.surfaces.magics.throttle import Throttle
    from mlops_jupyter.workspace import Workspace


@dataclass
class NotebookSession:
    """One notebook in which the extension is loaded.

    Attributes
    ----------
    translator : translates our magics to the code of a bundle.
    steps : keeps the panel's view of the steps current.
    """

    shell: InteractiveShell
    workspace: Workspace
    recorder: Recorder
    notebook: Notebook
    translator: Magics
    steps: Throttle

    def close(self) -> None:
        """Stop recording, and close the project."""
        self.recorder.stop()
        self.steps.close()
        self.workspace.close()

    def value(self, expression: str) -> Any:
        """Evaluate an expression in the notebook's namespace; whatever it raises becomes a `UserError` of one line."""
        try:
            return eval(expression, self.shell.user_ns)
        except Exception as fault:
            raise UserError(f"cannot evaluate {expression!r}: {type(fault).__name__}: {fault}") from fault
