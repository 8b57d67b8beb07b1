"""Starts a session in a shell: opens its project, starts the recorder, and keeps the panel's steps up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_jupyter.capture.recorder import Recorder
from mlops_jupyter.surfaces.magics.notebook import Notebook, notebook_path
from mlops_jupyter.surfaces.magics.session import NotebookSession
from mlops_jupyter.surfaces.magics.throttle import Throttle
from mlops_jupyter.workspace import Workspace

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlops_jupyter.services.pipeline.ports import Magics


def start(shell: InteractiveShell, translator: Magics) -> NotebookSession:
    """Open the project that contains the notebook, and record every execution from now on.

    Parameters
    ----------
    translator : translates our magics to the code of a bundle; the verbs that plan a pipeline take it from the session.
    """
    path = notebook_path(shell.user_ns)
    workspace = Workspace.open(path.parent if path and path.parent.is_dir() else Path.cwd())
    recorder = Recorder(shell, workspace.ledger, str(path) if path else None)
    before = frozenset(n for n in shell.user_ns if not recorder.ipython_names.owns(n))
    notebook = Notebook(shell, recorder, before)
    workspace.tracking.recover()
    steps = Throttle(lambda: workspace.steps.follow(recorder.session, recorder.history))
    recorder.after.append(lambda execution: steps.changed())
    recorder.start()
    return NotebookSession(shell, workspace, recorder, notebook, translator, steps)
