"""Tell what IPython remembers from cell to cell: the folder before the last `%cd`, and what `%%capture` kept."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence
from pathlib import PurePath

from mlops_jupyter.analysis.cells import Segment, SegmentKind, segments
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.hidden_names import WORKING_DIRECTORY

STATIC = re.compile(r"(?:-q\s+)?([^\s$~{}\"'/-][^$~{}\"']*|\.\.?)$").match
"""Match the argument of a `%cd` that names a folder below or above the present one, and no value of the notebook."""


def previous_folder(history: Sequence[Execution], position: int) -> str | None:
    """Return the path to which `%cd -` in an execution leads, from the folder where its cell begins.

    Returns
    -------
    None if it is not known: a `%cd` before it names a value or a whole path, stands beside another in its cell, or the
    code has changed the folder, too.
    """
    if [line.rest.strip() for line in _changes(history[position])] != ["-"]:
        return None
    folder, before = ".", ""
    for each in history[:position]:
        if _changes(each) or WORKING_DIRECTORY in each.writes:
            target = _target(each, folder, before)
            if not target:
                return None
            folder, before = target, folder
    return _way(before, folder) if before else None


def _target(execution: Execution, folder: str, before: str) -> str:
    """Return the folder to which an execution went, from the first one; "" if its text does not tell."""
    paths = [line.rest.strip() for line in _changes(execution)]
    if len(paths) != 1 or WORKING_DIRECTORY not in execution.writes or "chdir" in execution.body:
        return ""
    path = STATIC(paths[0])
    return before if paths[0] == "-" else os.path.normpath(PurePath(folder, path[1].strip())) if path else ""


def _way(target: str, start: str) -> str | None:
    """Return the path from one folder to another; None if it leads down by folders whose names no cell tells."""
    is_told = PurePath(start).parts.count("..") <= PurePath(target).parts.count("..")
    return os.path.relpath(target, start) if is_told else None


def _changes(execution: Execution) -> list[Segment]:
    if "%" not in execution.body and "cd " not in execution.body:
        return []
    return [
        p for p in segments(execution.body) if p.kind is SegmentKind.LINE_MAGIC and p.name in ("cd", "pushd", "popd")
    ]


def captured_name(piece: Segment) -> str:
    """Return the name to which a plain `%%capture` binds what its cell prints; "" if there is none."""
    words = [word for word in piece.rest.split() if not word.startswith("-")]
    return words[0] if piece.name == "capture" and words else ""


def is_capture_read(history: Sequence[Execution], position: int) -> bool:
    """Say whether a later execution reads what a `%%capture` over the whole cell of this one keeps."""
    body = history[position].body
    name = captured_name(segments(body)[0]) if body.startswith("%%capture") else ""
    return bool(name) and any(name in later.reads for later in history[position + 1 :])
