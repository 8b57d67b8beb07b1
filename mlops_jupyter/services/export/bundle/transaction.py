"""Transactions on a folder's files: all of a change is made or none, even if the process is killed or the disk is full.

New files are staged in a folder of their own first; a journal then commits the transaction. Whoever finds a journal
finishes the transaction, so that nobody reads a folder of which only a part is changed.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.storage.atomic import sync_folder, write_atomic
from mlops_jupyter.store.locks import try_lock

STAGE = ".bundle.update"
"""The folder in which a transaction stages new files and its journal."""

JOURNAL = "journal.json"
"""The file whose presence commits a transaction."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other writers during a block, and first finish a transaction that was left there.

    The operating system releases the lock when this process ends, however it ends.

    Raises
    ------
    UserError
        Another process holds the lock, or the folder's file system has no locks.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not try_lock(handle, folder):
            raise UserError(f"the bundle {str(folder)!r} is being written by another process: try again")
        if (folder / STAGE / JOURNAL).is_file():
            _finish(folder)
        yield
    finally:
        os.close(handle)


def apply(folder: Path, writes: Mapping[str, bytes], deletes: Collection[str]) -> None:
    """Write some files of a folder and delete others, all or none. The caller holds the lock of `locked`.

    Raises
    ------
    UserError
        The files cannot be written: then nothing has changed, or the next reader finishes the transaction.
    """
    if not writes and not deletes:
        return
    stage = folder / STAGE
    try:
        inside(folder, [*writes, *deletes, f"{STAGE}/{JOURNAL}"])
        shutil.rmtree(stage, ignore_errors=True)  # of a process that was killed before it committed
        for path, data in writes.items():
            write_atomic(stage / "files" / path, data, fsync=True, mode=0o666)
        for staged in {(stage / "files" / path).parent for path in writes}:
            sync_folder(staged)  # a name lost with the power would be taken for a file that was moved before
        journal = {"write": list(writes), "delete": list(deletes)}
        write_atomic(stage / JOURNAL, json.dumps(journal).encode(), fsync=True)
    except (OSError, ValueError) as fault:
        shutil.rmtree(stage, ignore_errors=True)
        reason = getattr(fault, "strerror", None) or str(fault)
        raise UserError(f"cannot write the bundle {str(folder)!r}: {reason}; nothing was changed there") from fault
    _finish(folder)


def recover(folder: Path) -> None:
    """Finish the transaction that was committed in a folder and not finished, if there is one."""
    if (folder / STAGE / JOURNAL).is_file():
        with locked(folder):
            pass


def _finish(folder: Path) -> None:
    stage = folder / STAGE
    try:
        journal = json.loads((stage / JOURNAL).read_bytes())
        staged = [f"{STAGE}/files/{path}" for path in journal["write"]]
        inside(folder, [*journal["write"], *journal["delete"], *staged, f"{STAGE}/{JOURNAL}"])
        for path in journal["write"]:
            if (stage / "files" / path).exists():  # else it was moved before
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (stage / "files" / path).replace(folder / path)
        for path in journal["delete"]:
            (folder / path).unlink(missing_ok=True)
            _prune(folder, (folder / path).parent)
        (stage / JOURNAL).unlink()
    except (OSError, ValueError, KeyError, TypeError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise UserError(
            f"the bundle {str(folder)!r} is changed in part: {reason}; mend that, and the same command does the rest"
        ) from fault
    shutil.rmtree(stage, ignore_errors=True)


def inside(folder: Path, paths: Iterable[str]) -> None:
    """Raise `ValueError` if one of these paths, which were read from a file, leads out of the bundle or by a link."""
    parents: set[PurePosixPath] = set()
    for path in map(PurePosixPath, paths):
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"it names {str(path)!r}, which is not in the bundle")
        parents |= {*path.parents}
    for link in sorted(parent for parent in parents if parent.parts and (folder / parent).is_symlink()):
        raise ValueError(
            f"the folder {str(link)!r} in it is a link, which no export writes: put the folder itself there"
        )


def _prune(folder: Path, empty: Path) -> None:
    """Remove a folder, and those above it up to the bundle's, that have become empty."""
    while empty != folder:
        try:
            empty.rmdir()
        except OSError:  # it is not empty, or gone
            return
        empty = empty.parent
