"""Files that a cell asks after without opening them: whether they are there, which ones a folder holds.

No audit event tells of the first, and imports list folders too. They are told by what the cell says, and the functions
that it calls: a file that was there and that they name, by itself, by a pattern or by its folder, has been read. A
file too many is possible; the bundle then lays it for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any

from mlops_jupyter.capture.files import SKIPPED_SUFFIXES
from mlops_jupyter.capture.reach import is_a
from mlops_jupyter.capture.unseen import listed

LISTS = re.compile(r"\b(i?r?glob|listdir|scandir|iterdir|walk)\(").search
ASKS = re.compile(r"\b(i?r?glob|listdir|scandir|iterdir|walk|l?exists|isfile|is_file|getsize|stat)\(").search
RECURSES = re.compile(r"\brglob\(|\bwalk\(|\*\*").search
QUOTED = re.compile(r"""["']([^"'\n]+)["']""")

MOST = 300
"""A cell that means more files than this is left to open them: each would be a line of its step."""


class Asked:
    """Looks at the folder after a cell that asks; costs nothing else. Remembers which functions do."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._home = Path.cwd()
        self._speakers: dict[str, str] = {}

    def end(self, text: str, reads: Iterable[str], definitions: Iterable[str], started: float) -> set[str]:
        """Return the files that the cell asked after and that were there before it, as absolute paths."""
        asks = bool(ASKS(text))
        for name in definitions:
            self._speakers.pop(name, None)
            if asks:
                self._speakers[name] = text
        reads = set(reads)
        spoken = {text if asks else "", *(self._speakers.get(name, "") for name in reads)} - {""}
        if not spoken:
            return set()
        said = "\n".join({text, *spoken})
        words = {*QUOTED.findall(said), *map(str, self._texts(reads))}
        found = {
            path
            for path, (changed, _) in listed(self._home, ("",)).items()
            if changed < started * 1e9 and not path.endswith(SKIPPED_SUFFIXES) and self._means(path, words, said)
        }
        return found if len(found) <= MOST else set()

    def _texts(self, names: Iterable[str]) -> list[object]:
        values = [self._namespace.get(name) for name in names]
        return [value for value in values if is_a(value, PurePath) or (is_a(value, str) and len(str(value)) < MOST)]

    def _means(self, path: str, words: set[str], said: str) -> bool:
        """Whether words name a file: it, a pattern of it, or, where folders are listed, its folder or its ending."""
        where = Path(path).relative_to(self._home)
        last = {word.rstrip("/").rpartition("/")[2] for word in words}
        named = not last.isdisjoint(where.parent.parts)
        if where.name in last:
            return True
        if where.parent.parts and not named and not RECURSES(said):
            return False
        patterns = (word for word in last if "*" in word or "?" in word)
        return any(fnmatchcase(where.name, word) for word in patterns) or (
            bool(LISTS(said)) and (named or where.suffix in last)
        )
