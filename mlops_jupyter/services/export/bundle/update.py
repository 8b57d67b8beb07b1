"""Compare a rendered bundle with the one on disk, and write no more than what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan
from mlops_jupyter.runtime.hashing import written_file_digest
from mlops_jupyter.services.export.bundle import create, manifest, regions, stable_values, transaction
from mlops_jupyter.services.export.bundle.create import MARK, BundleFiles
from mlops_jupyter.services.export.bundle.manifest import Manifest
from mlops_jupyter.services.pipeline.planner import PlanRequest

STRANGER = "is no file of the export, and stands where one is to lie: move it away"

NO_FILE = "is a folder or a link, where a file is to lie: move it away"

SHOWN = 5
"""Number of conflicts that a message names."""


@dataclass(frozen=True)
class BundleChanges:
    """The changes that bring a bundle on disk up to date. A person's own files are left alone.

    Attributes
    ----------
    writes : path -> content that is to lie there, with the regions that a person marked.
    deletes : files that the export wrote once and would not write now.
    kept : files with edits of a person that stay.
    conflicts : path -> why only a person can say what is to lie there, in words that follow the path.
    """

    writes: dict[str, bytes] = field(default_factory=dict)
    deletes: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    conflicts: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.writes or self.deletes or self.conflicts)

    def __str__(self) -> str:
        kept = f"; {', '.join(self.kept)} keep a person's edits" if self.kept else ""
        return f"{len(self.writes)} files written, {len(self.deletes)} deleted{kept}"


def changes(new: BundleFiles, known: Manifest, folder: Path) -> BundleChanges:
    """Compare what is rendered now with what lies on disk, file by file; nothing is written."""
    result = BundleChanges()
    for path in sorted({*new, *known.files}):
        on_disk = _there(folder / path)
        if on_disk is None:
            result.conflicts[path] = NO_FILE
        elif path not in new:
            _leave(result, path, on_disk[0], known.files[path])
        elif on_disk[0] != new[path]:
            _write(result, path, on_disk[0], new[path], known)
    return result


def _there(path: Path) -> tuple[bytes | None] | None:
    """Return (content,) of a file, (None,) where there is no file, and None where something else is in its place."""
    if path.is_symlink():
        return None
    try:
        return (path.read_bytes(),)
    except FileNotFoundError:
        return (None,)
    except (IsADirectoryError, NotADirectoryError):
        return None


def _leave(found: BundleChanges, path: str, there: bytes | None, was: str) -> None:
    if there is not None and written_file_digest(there) != was:
        found.conflicts[path] = (
            "was edited, and the notebook no longer makes it: delete it, or move it out of the bundle"
        )
    elif there is not None:
        found.deletes.append(path)


def _write(found: BundleChanges, path: str, there: bytes | None, new: bytes, known: Manifest) -> None:
    written_digest = known.files.get(path)
    if there is None or written_file_digest(there) == written_digest:
        if there is None or written_file_digest(there) != written_file_digest(new):
            found.writes[path] = new
    elif written_digest is None:
        if written_file_digest(there) != written_file_digest(new):
            found.conflicts[path] = STRANGER
    elif written_digest == written_file_digest(new):
        found.kept.append(path)
    else:
        _merge(found, path, there, new, known)


def _merge(found: BundleChanges, path: str, there: bytes, new: bytes, known: Manifest) -> None:
    mine, text = manifest.decoded(there), manifest.decoded(new)
    if mine is None or text is None or path not in known.lines:
        found.conflicts[path] = "was edited, and no regions can be marked in it: take it away, and it is written anew"
        return
    try:
        merged = regions.merge(mine, known.lines[path], text)
        if path.endswith(".py"):
            compile(merged, path, "exec")
    except regions.RegionConflictError as fault:
        found.conflicts[path] = f"{fault}: mark each edit as a region apart from these lines, or take the file away"
    except SyntaxError as fault:
        found.conflicts[path] = f"would be no Python with its regions in it ({fault.msg}): take the regions out first"
    else:
        found.kept.append(path)
        if merged.encode() != there:
            found.writes[path] = merged.encode()


def anew(new: BundleFiles, request: PlanRequest, targets: Sequence[str], folder: Path) -> None:
    """Write a bundle whole, where none is or over one that nobody edited. A person's own files stay there.

    Raises
    ------
    UserError
        A file was edited, or lies where one is to be written (which, and what to do), or nothing can be written.
    """
    files = {**new, manifest.NAME: manifest.written(manifest.of(new, request, targets))}
    if not (folder / MARK).is_file():
        create.write(files, folder)
        return
    with transaction.locked(folder):
        known = manifest.read(folder)
        on_disk = {path: _there(folder / path) for path in sorted({*new, *known.files})}
        refuse({path: why for path, content in on_disk.items() if (why := _own(path, content, new, known))}, folder)
        writes = {path: data for path, data in files.items() if on_disk.get(path) != (data,)}
        transaction.apply(folder, writes, [path for path in known.files if path not in new])


def _own(path: str, there: tuple[bytes | None] | None, new: BundleFiles, known: Manifest) -> str:
    """Return why a file would be lost if the bundle were written anew, in words that follow its path; "" if not."""
    if there is None:
        return NO_FILE
    if there[0] is None or there[0] == new.get(path) or written_file_digest(there[0]) == known.files.get(path):
        return ""
    if path in known.files:
        return "was edited: --update keeps what is marked in it; or take the file away"
    return STRANGER


def write(new: BundleFiles, plan: Plan, request: PlanRequest, targets: Sequence[str], folder: Path) -> BundleChanges:
    """Bring a bundle up to date, in one transaction.

    Parameters
    ----------
    new : every file that is rendered from the plan.
    request, targets : what the export was asked for.

    Raises
    ------
    UserError
        Some file was edited in a way that cannot be kept (which, and what to do), or nothing can be written.
    """
    with transaction.locked(folder):
        known = manifest.read(folder)
        new = stable_values.keep_recorded(new, plan, known, folder)
        result = changes(new, known, folder)
        refuse(result.conflicts, folder)
        updated = manifest.of(new, request, targets)
        note = {} if updated == known else {manifest.NAME: manifest.written(updated)}
        transaction.apply(folder, {**result.writes, **note}, result.deletes)
    return result


def refuse(conflicts: Mapping[str, str], folder: Path) -> None:
    """Raise `UserError`, which names the first few conflicts in one line, if there are any."""
    if conflicts:
        reasons = [f"{path!r} {why}" for path, why in conflicts.items()]
        more = f"; and {len(reasons) - SHOWN} more (`mlops-jupyter diff` lists them)" if len(reasons) > SHOWN else ""
        raise UserError(f"{str(folder)!r} is left as it is: {'; '.join(reasons[:SHOWN])}{more}")
