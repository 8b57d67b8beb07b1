"""Files that compiled readers open (polars, DuckDB, Arrow, models of XGBoost …), of which no audit event tells.

They are told by what a cell says: the texts in it, in the functions, classes and local modules that it uses, and in the
variables that it reads are paths, patterns and SQL. What they name has been read if it was there, and written if it is
another than before. A file too many is possible; the bundle then lays it for nothing.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import ast
import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.mutations.file_names import pattern
from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.audit_hook import SKIPPED_SUFFIXES
from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.capture.observers.file_queries import MOST
from mlops_jupyter.capture.observers.file_variables import FileVariables
from mlops_jupyter.capture.observers.opened_files import user_files
from mlops_jupyter.capture.value_kinds import is_a, module_of

ARROW = ("pyarrow.csv", "pyarrow.dataset", "pyarrow.json", "pyarrow.parquet", "pyarrow.feather", "pyarrow.orc")
OTHERS = "polars duckdb xgboost lightgbm catboost cv2 h5py netCDF4 fastparquet rasterio fiona pyogrio soundfile"
LIBRARIES = (*ARROW, *OTHERS.split())
NAMED = re.compile(rf"\b({'|'.join({name.partition('.')[0] for name in LIBRARIES})})\b").search

FOLDERS = re.compile(
    r"\b(scan_\w+|read_\w+|dataset|ParquetDataset|write_\w+|sink_\w+)\(|\b(COPY|FROM)\b", re.IGNORECASE
).search
"""Search a text for what may take a folder for the files in it."""

ONLY_WRITES = re.compile(r"\.(write_\w+|sink_\w+|save_model|imwrite)\(|\bCOPY\b[^;]*\bTO\b", re.IGNORECASE).search
WRITES = re.compile(r"\.(write_\w+|sink_\w+|save_model|imwrite|to_\w+|connect)\(|\bCOPY\b", re.IGNORECASE).search
READS = re.compile(r"\b(read_\w+|scan_\w+|load_model|imread|connect|dataset)\(|\bFROM\s+'", re.IGNORECASE).search

PATTERN = re.compile(r"[*?\[]")
LONGEST = 250

States = dict[str, tuple[int, int]]


class NativeFiles:
    """Looks at the files that cells name, once a library that reads by itself is loaded. Remembers all definitions."""

    def __init__(self, files: FileVariables, namespace: Mapping[str, Any]) -> None:
        self._files = files
        self._namespace = namespace
        self._definitions: dict[str, str] = {}
        self._before: States | None = None

    def before(self, cell: ActiveCell) -> None:
        """Note the state of the files that the cell names; costs nothing where no such library is about."""
        about = NAMED(cell.body) or any(name in sys.modules for name in LIBRARIES)
        texts = self._texts(cell) if about else []
        self._before = self._states(cell, texts) if about else None
        if self._before and WRITES("\n".join(texts)):
            for path in self._before:
                self._files.keep_now(path)

    def after(self, cell: ActiveCell) -> Accesses:
        """Return the named files: those that were there as read, those that changed as written."""
        before, self._before = self._before, None
        for name in cell.facts.definitions:
            self._definitions[name] = cell.body
        if before is None:
            return NOTHING
        texts = self._texts(cell)
        now = self._states(cell, texts)
        started = cell.started * 1e9
        written = {path for path, state in now.items() if before.get(path, state) != state}
        written |= {path for path in now.keys() - before.keys() if now[path][0] >= started}
        text = "\n".join(texts)
        replaced = written if ONLY_WRITES(text) and not READS(text) else written - before.keys()
        own = user_files((*before, *now))
        return self._files.accesses(now.keys() & own - replaced, written & own)

    def _states(self, cell: ActiveCell, texts: Sequence[str]) -> States:
        said = {word for text in texts for word in _strings(text)}
        said |= {word for name in self._names(cell) for word in _spoken(self._namespace.get(name))}
        lists = bool(FOLDERS("\n".join(texts)))
        states: States = {}
        for path in _existing(said, lists):
            if not path.endswith(SKIPPED_SUFFIXES) and len(states) < MOST:
                with suppress(OSError):
                    stat = os.stat(path)  # noqa: PTH116
                    states[path] = (stat.st_mtime_ns, stat.st_size)
        return states

    def _names(self, cell: ActiveCell) -> set[str]:
        return {*cell.facts.reads, *cell.reads} & self._namespace.keys()

    def _texts(self, cell: ActiveCell) -> list[str]:
        """Return the texts of a cell, and of the definitions and local modules that it uses, directly or not."""
        texts = {cell.body: None}
        todo = [*self._names(cell)]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            value = self._namespace.get(name)
            for text in filter(None, (self._definitions.get(name), self._definitions.get(type(value).__name__))):
                if text not in texts:
                    texts[text] = None
                    todo += [word for word in WORDS.findall(text) if word in self._namespace]
            texts |= dict.fromkeys(_sources(value, self._files.root))
        return [*texts]


WORDS = re.compile(r"[^\W\d]\w*")


def _sources(value: object, root: Path) -> Iterator[str]:
    """Yield the text of the local module that a value is, or comes from, and of those that it imports from."""
    todo = [value if is_a(value, ModuleType) else sys.modules.get(module_of(value))]
    seen: set[int] = set()
    while todo:
        module = todo.pop()
        file = vars(module).get("__file__") if is_a(module, ModuleType) else None
        if not isinstance(file, str) or id(module) in seen or not user_files([file]) or not file.endswith(".py"):
            continue
        seen.add(id(module))
        if Path(file).is_relative_to(root):
            with suppress(OSError, UnicodeDecodeError):
                yield Path(file).read_text(encoding="utf-8")
            todo += [each for each in vars(module).values() if is_a(each, ModuleType)]


def _spoken(value: object) -> Iterator[str]:
    """Yield the paths that a value of a variable may be, or hold."""
    values: Iterable[object] = (value,)
    if is_a(value, dict):
        values = [*value.values()][:MOST]  # type: ignore[attr-defined]
    elif is_a(value, list) or is_a(value, tuple):
        values = [*value][:MOST]  # type: ignore[misc]
    yield from (str(each) for each in values if is_a(each, str) or is_a(each, PurePath))


@lru_cache(maxsize=512)
def _strings(text: str) -> frozenset[str]:
    """Return the strings of a text, cut at quotes inside them (SQL); what is filled in is `*`."""
    try:
        tree = ast.parse(to_python(text))
    except (SyntaxError, ValueError):
        return frozenset()
    whole: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            whole.append(pattern(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            whole.append(node.value)
    return frozenset(part for text in whole for part in (text, *re.split(r"['\"]", text)))


def _existing(said: Iterable[str], lists: bool) -> Iterator[str]:
    """Yield the files that texts name: by a path, a pattern or a folder; also a name in a folder that another names."""
    words = {word for word in said if word and len(word) <= LONGEST and "\n" not in word and "\0" not in word}
    folders = {word for word in words if "*" not in word and word not in (".", "/", "..") and os.path.isdir(word)}  # noqa: PTH112
    for base in ("", *folders):
        for word in words:
            path = os.path.abspath(os.path.join(base, word))  # noqa: PTH100, PTH118
            if PATTERN.search(word):
                if word.strip("*?./"):
                    yield from filter(os.path.isfile, sorted(glob.glob(path, recursive=True)))  # noqa: PTH207
            elif os.path.isfile(path):  # noqa: PTH113
                yield path
    for folder in folders if lists else ():
        for parent, _, names in os.walk(os.path.abspath(folder)):  # noqa: PTH100
            yield from (os.path.join(parent, name) for name in sorted(names) if not name.startswith("."))  # noqa: PTH118
