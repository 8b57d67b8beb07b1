"""Notebook cells become versioned, proven, scheduled pipelines.

The front door: hooks for IPython and Jupyter. Nothing heavy is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Start recording in this shell and offer the magics (`%load_ext mlops_jupyter`)."""
    from mlops_jupyter.surfaces.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Stop recording and take the magics away (`%unload_ext mlops_jupyter`)."""
    from mlops_jupyter.surfaces.magics import unload

    unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "mlops-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "mlops_jupyter"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    from mlops_jupyter.surfaces.server import setup

    setup(server_app)
