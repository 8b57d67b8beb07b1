"""Schedulers that a Jupyter server starts if configured, and that end with it: a child process for each project.

They are processes of their own, so that neither a bundle's run nor the scheduler's threads ever block the server.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from traitlets import List, Unicode
from traitlets.config import Configurable

from mlops_jupyter.workspace import FOLDER

END_SECONDS = 20.0
"""Seconds that a scheduler may take to end its runs and record their end, before it is killed."""


class MlopsJupyter(Configurable):
    """Settings of the server extension: `c.MlopsJupyter...` in jupyter_server_config.py, or on the command line."""

    scheduler_projects = List(
        Unicode(),
        help="Folders of projects whose schedules the server runs while it is up, from its root folder on; "
        "'.' is that folder itself. Empty: it runs none.",
    ).tag(config=True)


def start_all(server_app: Any) -> list[subprocess.Popen[bytes]]:
    """Start a scheduler for each configured project; all end with the server, even if the server is killed.

    A folder that is outside of the server's root, or holds no project yet, is logged and skipped.
    """
    root = Path(server_app.root_dir).resolve()
    started = []
    for name in MlopsJupyter(parent=server_app).scheduler_projects:
        folder = (root / name).resolve()
        if not folder.is_relative_to(root) or not (folder / FOLDER).is_dir():
            server_app.log.error(
                f"mlops_jupyter: no schedules are run for {name!r}: it is no project (no {FOLDER}) in {str(root)!r}"
            )
            continue
        started.append(_start(folder))
        server_app.log.info(f"mlops_jupyter: the schedules of {name!r} are run by pid {started[-1].pid}")
    return started


def _start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / FOLDER / "scheduler.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mlops_jupyter", "scheduler", "--parent", str(os.getpid())],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the server's terminal asks first
        )
    atexit.register(end, process)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """End a scheduler and wait for it; kill it after `END_SECONDS`."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
