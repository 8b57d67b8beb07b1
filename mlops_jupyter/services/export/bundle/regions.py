"""Regions that a person marked in a generated file, and how they are carried into the next one.

A region stands between two comments, in the form of comments that the file has::

    # keep: begin NAME
    ...
    # keep: end

It may stand between generated lines, or in place of some. It goes to where these lines are in the new text; where the
new text changes them, or the lines right beside them, nobody but its author can say where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mlops_jupyter.services.export.bundle.manifest import lines_of, marks

BEGIN = re.compile(r"\s*(?:#|//|--|;|<!--)\s*keep: begin\s+(\S.*?)\s*(?:-->)?\s*")
END = re.compile(r"\s*(?:#|//|--|;|<!--)\s*keep: end\s*(?:-->)?\s*")


class RegionConflictError(Exception):
    """The regions of a text cannot be merged into a new one. The message follows the file's name."""


@dataclass(frozen=True)
class Region:
    """A marked region: its name, its lines with both marks, and the generated lines (`start` to `stop`) it replaces."""

    name: str
    lines: tuple[str, ...]
    start: int
    stop: int


def merge(mine: str, base: Sequence[str], new: str) -> str:
    """Return the new text with the regions of the edited one.

    Parameters
    ----------
    mine : the file as a person left it.
    base : `marks` of the lines as they were generated.
    new : the text that is generated now.

    Raises
    ------
    RegionConflictError
        A region is not closed, the new text changes what lies around it, or there are edits outside of regions.
    """
    lines = lines_of(new)
    new_marks = marks(lines)
    edited = [r for r in _placed(lines_of(mine), base) if marks(r.lines) != tuple(base[r.start : r.stop])]
    for start, stop, region in reversed([(*_place(region, base, new_marks), region) for region in edited]):
        lines[start:stop] = region.lines
    return "\n".join(lines) + "\n"


def _placed(mine: Sequence[str], base: Sequence[str]) -> list[Region]:
    """Return the regions, each with the positions of the generated lines that it replaces."""
    plain, cut = _cut(mine)
    regions: list[Region] = []
    at = 0
    for number, part in enumerate(plain):
        own = marks(part)
        last = number == len(plain) - 1
        start = len(base) - len(own) if last else _find(own, base, at)
        if start < at or (number == 0 and start != 0) or tuple(base[start : start + len(own)]) != own:
            raise RegionConflictError("was edited outside of marked regions")
        if number:
            name, lines = cut[number - 1]
            regions.append(Region(name, tuple(lines), at, start))
        at = start + len(own)
    return regions


def _cut(mine: Sequence[str]) -> tuple[list[list[str]], list[tuple[str, list[str]]]]:
    """Split lines into those outside of regions (one part more than there are regions) and the regions."""
    plain: list[list[str]] = [[]]
    regions: list[tuple[str, list[str]]] = []
    opened = ""
    for number, line in enumerate(mine, 1):
        begins = BEGIN.fullmatch(line)
        if begins and opened:
            raise RegionConflictError(
                f"begins the region {begins[1]!r} in line {number}, inside of {opened!r}: end that first"
            )
        if begins:
            opened = begins[1]
            regions.append((opened, []))
            plain.append([])
        elif END.fullmatch(line) and not opened:
            raise RegionConflictError(f"ends a region in line {number} that was not begun")
        (regions[-1][1] if opened else plain[-1]).append(line)
        if END.fullmatch(line):
            opened = ""
    if opened:
        raise RegionConflictError(f"does not end the region {opened!r}: add a line `keep: end`")
    return plain, regions


def _find(part: Sequence[str], base: Sequence[str], at: int) -> int:
    """Return the first position of `part` in `base` that is `at` or later; -1 if there is none."""
    stops = range(at, len(base) - len(part) + 1)
    return next((n for n in stops if tuple(base[n : n + len(part)]) == tuple(part)), -1)


def _place(region: Region, base: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Return where the lines of the new text that a region replaces start and stop."""
    size = region.stop - region.start
    if not size and region.start == len(base):
        return len(new), len(new)
    if not size and region.start == 0:
        return 0, 0
    first, last = max(region.start - 1, 0), min(region.stop + 1, len(base))
    for block in SequenceMatcher(None, list(base), list(new), autojunk=False).get_matching_blocks():
        if block.a <= first and last <= block.a + block.size:
            start = block.b + region.start - block.a
            return start, start + size
    raise RegionConflictError(
        f"has the region {region.name!r}, and the notebook changes lines that it stands in or beside"
    )
