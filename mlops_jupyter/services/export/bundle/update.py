"""What an export would change in a bundle that is there, and changing no more than that."""

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

SHOWN = 5
"""So many conflicts are told in one line."""


@dataclass(frozen=True)
class BundleChanges:
    """What is to be done to a bundle on disk. Files that the export did not write are not in it.

    Attributes
    ----------
    writes : path -> content that is to lie there, with the regions that a person marked.
    deletes : files that the export wrote once and would not write now.
    kept : files with edits of a person that stay.
    conflicts : path -> why nobody but a person can say what is to lie there, in words that follow the path.
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
    found = BundleChanges()
    for path in sorted({*new, *known.files}):
        there = _there(folder / path)
        if there is None:
            found.conflicts[path] = "is no file"
        elif path not in new:
            _leave(found, path, there[0], known.files[path])
        elif there[0] != new[path]:
            _write(found, path, there[0], new[path], known)
    return found


def _there(path: Path) -> tuple[bytes | None] | None:
    """Return a file's content (None if there is no file); no answer at all where something else lies there."""
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
    was = known.files.get(path)
    if there is None or written_file_digest(there) == was:
        if there is None or written_file_digest(there) != written_file_digest(new):
            found.writes[path] = new
    elif was is None:
        if written_file_digest(there) != written_file_digest(new):
            found.conflicts[path] = STRANGER
    elif was == written_file_digest(new):
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
    """Write a bundle whole: where none is, or over one that nobody edited. Files that are no export's stay there.

    Raises
    ------
    UserError
        A file was edited, or lies where one is to be written (which, and what to do), or nothing can be written.
    """
    wanted = {**new, manifest.NAME: manifest.written(manifest.of(new, request, targets))}
    if not (folder / MARK).is_file():
        create.write(wanted, folder)
        return
    with transaction.locked(folder):
        known = manifest.read(folder)
        there = {path: _there(folder / path) for path in sorted({*new, *known.files})}
        refuse({path: why for path, found in there.items() if (why := _own(path, found, new, known))}, folder)
        writes = {path: data for path, data in wanted.items() if there.get(path) != (data,)}
        transaction.apply(folder, writes, [path for path in known.files if path not in new])


def _own(path: str, there: tuple[bytes | None] | None, new: BundleFiles, known: Manifest) -> str:
    """Why what lies in a bundle would be lost if that were written anew, in words that follow the path; "" if not."""
    if there is None:
        return "is no file"
    if there[0] is None or there[0] == new.get(path) or written_file_digest(there[0]) == known.files.get(path):
        return ""
    if path in known.files:
        return "was edited: --update keeps what is marked in it; or take the file away"
    return STRANGER


def write(new: BundleFiles, plan: Plan, request: PlanRequest, targets: Sequence[str], folder: Path) -> BundleChanges:
    """Bring a bundle up to date: all that is to change or nothing.

    Parameters
    ----------
    new : every file that the export makes of the plan; `request` and `targets` are what it was asked for.

    Raises
    ------
    UserError
        Some file was edited in a way that cannot be kept (which, and what to do), or nothing can be written.
    """
    with transaction.locked(folder):
        known = manifest.read(folder)
        new = stable_values.keep_recorded(new, plan, known, folder)
        found = changes(new, known, folder)
        refuse(found.conflicts, folder)
        wanted = manifest.of(new, request, targets)
        note = {} if wanted == known else {manifest.NAME: manifest.written(wanted)}
        transaction.apply(folder, {**found.writes, **note}, found.deletes)
    return found


def refuse(conflicts: Mapping[str, str], folder: Path) -> None:
    """Raise `UserError` if there are conflicts: the first few, in one line."""
    if conflicts:
        said = [f"{path!r} {why}" for path, why in conflicts.items()]
        more = f"; and {len(said) - SHOWN} more (`mlops-jupyter diff` lists them)" if len(said) > SHOWN else ""
        raise UserError(f"{str(folder)!r} is left as it is: {'; '.join(said[:SHOWN])}{more}")
