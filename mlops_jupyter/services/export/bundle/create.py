"""Write a bundle where there is none: all of its files or none, and never over other files."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.storage.atomic import replacing, write_new

BundleFiles = Mapping[str, bytes]
"""Path in the bundle -> content."""

MARK = "pipeline.yaml"
"""The file by which a folder is known to be a bundle."""

AT_ONCE = 8
"""Number of files that are written at a time: a disk writes together what waits for it at the same time."""


def write(bundle: BundleFiles, output: Path) -> None:
    """Put a bundle at a path where nothing is, or an empty folder, in one rename.

    Raises
    ------
    UserError
        The place holds something else, or cannot be written (a full disk, no permission): then nothing has changed.
    """
    output = output.absolute()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"{str(output)!r} is there and is no bundle of ours: choose another --output, or move it away")
    try:
        with replacing(output) as beside:
            beside.mkdir(0o700)
            _fill(beside, bundle)
            beside.chmod(0o755)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise UserError(f"cannot write the bundle {str(output)!r}: {reason}; nothing was changed there") from fault


def _fill(folder: Path, bundle: BundleFiles) -> None:
    """Write every file; return, or raise the first error, only when no write is under way any more."""
    for parent in {(folder / path).parent for path in bundle}:
        parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(_write_one, (folder / path for path in bundle), bundle.values()):
            pass


def _write_one(path: Path, data: bytes) -> None:
    write_new(path, data, fsync=True)
