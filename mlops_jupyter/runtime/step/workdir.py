"""The working directory of a step, and the files that are put into it before the step runs.

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

import filecmp
import os
import posixpath
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ..hidden.names import FILE
from ..model.pipeline import INITIAL, Pipeline, Step, ancestors
from ..secret_files import holds_secrets
from ..storage.atomic import replacing, write_atomic
from .outside_access import opens_for_writing

COPIED_BYTES = 16 * 2**20
"""Size up to which a data file is copied into a working directory. A larger one is linked, till it is written."""

GONE = "absent"
"""The artifact format of a file that its step deleted."""


def file_paths(names: Mapping[str, str] | tuple[str, ...]) -> list[str]:
    """Return the paths of the file variables among variable names, as the notebook writes them."""
    return [name.removeprefix(FILE) for name in names if name.startswith(FILE)]


def working_directory(pipeline: Pipeline, step: Step, work: Path) -> Path:
    """Return a step's working directory.

    It is `work` itself, so that steps find there what others wrote. Only steps that may run at once with different
    versions of one file get a folder each. Where the steps' paths go up (`../data/a.csv`), it stands in a tree as the
    notebook's folder stands in its project, so that they stay in that tree.
    """
    root = work.with_name(f"{work.name}-{step.name}") if _quarrels(pipeline, step) else work
    above = _climb(pipeline) - len(PurePosixPath(pipeline.folder).parts)
    return root.joinpath(*["home"] * above, pipeline.folder)


def _climb(pipeline: Pipeline) -> int:
    paths = [path for step in pipeline.steps for path in [*file_paths(step.inputs), *file_paths(step.makes)]]
    return max((PurePosixPath(posixpath.normpath(path)).parts.count("..") for path in paths), default=0)


def _quarrels(pipeline: Pipeline, step: Step) -> bool:
    """Whether a step that is neither before nor after this one has another version of one of its files."""
    if not file_paths(step.inputs) and not file_paths(step.makes):
        return False
    above = ancestors(pipeline)
    before = above[step.name] | {step.name}
    concurrent = (s for s in pipeline.steps if s.name not in before and step.name not in above[s.name])
    mine, written = _versions(step), set(file_paths(step.makes))
    for rival in concurrent:
        theirs, rewritten = _versions(rival), set(file_paths(rival.makes))
        shared = mine.keys() & theirs.keys()
        if any(path in written | rewritten or mine[path] != theirs[path] for path in shared):
            return True
    return False


def _versions(step: Step) -> dict[str, str]:
    """Return path -> step that wrote the version which this step uses: itself for a file that it only writes."""
    taken = {name.removeprefix(FILE): maker for name, maker in step.inputs.items() if name.startswith(FILE)}
    return {**dict.fromkeys(file_paths(step.makes), step.name), **taken}


def lay_files(
    step: Step, folder: Path, initial: Callable[[str], Path], made: Callable[[str], bytes | None], source: str
) -> set[Path]:
    """Put the files that a step reads into its working directory, and delete those that it only writes.

    Returns the links among them, for `copy_on_write`.

    Parameters
    ----------
    folder : the working directory.
    initial : path -> location of a data file from before the first step.
    made : path -> bytes that an earlier step wrote there, or None if that step deleted the file.
    source : text of the step's module.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = set(file_paths(step.inputs))
    for path in file_paths(step.makes):
        if path not in taken and not PurePosixPath(path).is_absolute():
            (folder / path).unlink(missing_ok=True)
            if "mkdir" not in source and "makedirs" not in source:  # such a step may make the folder itself
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
    for path in taken:
        if step.inputs[FILE + path] == INITIAL:
            _place(initial(path), folder / path, changes=path in file_paths(step.makes))
        else:
            _restore(made(path), folder / path)
    return {folder / path for path in taken if (folder / path).is_symlink()}


def _place(found: Path, target: Path, changes: bool) -> None:
    """Copy a data file, or link a large one and one that holds secrets; atomically, for concurrent steps may read it.

    A step that opens it for writing must not change the file itself, which is the bundle's or the user's.
    """
    if target.exists() and target.samefile(found) and not changes:
        return
    facts = found.stat()
    is_copied = changes or (facts.st_size <= COPIED_BYTES and not holds_secrets(found))
    if is_copied and not changes and target.is_file() and filecmp.cmp(found, target, shallow=False):
        return
    with replacing(target) as beside:
        if is_copied:
            shutil.copyfile(found, beside)
            os.utime(beside, None if changes else (facts.st_atime, facts.st_mtime))
        else:
            beside.symlink_to(found.absolute())


def copy_on_write(links: set[Path]) -> None:
    """Put copies in the places of linked data files when this process opens them for writing.

    An audit hook (PEP 578) sees the opening before it happens. Other programs that a step starts are not seen.
    """
    places = {os.path.abspath(link) for link in links}  # noqa: PTH100 - of the link, not of the file that it leads to

    def before(event: str, args: tuple[Any, ...]) -> None:
        if event not in ("open", "sqlite3.connect") or isinstance(args[0], int) or not places:
            return
        path = os.path.abspath(os.fsdecode(args[0] or ""))  # noqa: PTH100
        if path in places and (event != "open" or opens_for_writing(args[1], args[2])):
            places.discard(path)
            with replacing(Path(path)) as beside:
                shutil.copyfile(path, beside)

    if places:
        sys.addaudithook(before)


def _restore(data: bytes | None, target: Path) -> None:
    if data is None:
        target.unlink(missing_ok=True)
    elif not target.is_file() or target.is_symlink() or target.read_bytes() != data:
        write_atomic(target, data, fsync=False)  # the line above would notice a partial file
