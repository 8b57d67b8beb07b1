"""A bundle that a schedule can run."""

from __future__ import annotations

from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.bundle import read as files
from mlops_jupyter.services.export.bundle.read import StoredBundle as Bundle

__all__ = ["Bundle", "read"]


def read(folder: Path) -> Bundle:
    """Return the bundle in a folder; raise `UserError` with one line if this is no bundle that can run."""
    bundle = files.read(folder)
    if not (folder / "src" / bundle.package / "__main__.py").is_file():
        raise UserError(
            f"the bundle {str(folder)!r} lacks 'src/{bundle.package}/__main__.py': export the notebook again"
        )
    return bundle
