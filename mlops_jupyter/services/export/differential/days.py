"""Other days: the edits of each, drawn from what a bundle reads, and the files and parameters that they make."""

from __future__ import annotations

import json
import posixpath
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.runtime.hidden.registry import initial_file
from mlops_jupyter.runtime.model.pipeline import data_files
from mlops_jupyter.services.export.bundle.read import StoredBundle
from mlops_jupyter.services.export.differential.edits import (
    KINDS,
    Edit,
    ParameterEdit,
    TableEdit,
    apply,
    other_values,
)
from mlops_jupyter.services.export.differential.tables import DataTable, read_table

FIRST = (
    ("doubled", "emptied"),
    ("negated", "scaled", "shuffled"),
    ("dropped", "category"),
    ("one row",),
    ("no row",),
)
"""The kinds of edits of the first days; those of later days are drawn."""

MILD = tuple(kind for kind in KINDS if not kind.endswith(" row"))


@dataclass(frozen=True)
class Day:
    """Another day: how its data and parameters differ from those of the export."""

    edits: tuple[Edit, ...]

    @property
    def words(self) -> list[str]:
        """The options of a command line that set the parameters."""
        return [word for edit in self.edits if isinstance(edit, ParameterEdit) for word in edit.text.split(" ", 1)]

    @property
    def files(self) -> tuple[str, ...]:
        """The data files that are edited."""
        return tuple(dict.fromkeys(edit.file for edit in self.edits if isinstance(edit, TableEdit)))

    def of(self, file: str) -> list[TableEdit]:
        """Return the edits of one data file."""
        return [edit for edit in self.edits if isinstance(edit, TableEdit) and edit.file == file]

    def __str__(self) -> str:
        """Describe the edits in one line, by file."""
        parts = [edit.text for edit in self.edits if isinstance(edit, ParameterEdit)]
        parts += [f"{file}: {_some([edit.text for edit in self.of(file)])}" for file in self.files]
        return "; ".join(parts) or "nothing changed"


def _some(texts: Sequence[str]) -> str:
    rest = len(texts) - 4
    return ", ".join(texts[:4]) + (f" and {rest} more" if rest > 0 else "")


class Days:
    """Draws other days for a bundle.

    Parameters
    ----------
    seed : the same seed gives the same days.

    Attributes
    ----------
    left : data files that stay as they are, for people.
    """

    def __init__(self, bundle: StoredBundle, seed: int) -> None:
        self._bundle = bundle
        self._seed = seed
        self.tables: dict[str, DataTable] = {}
        self.left: list[str] = []
        for path in self._paths():
            table = None if PurePosixPath(path).is_absolute() else read_table(path, self._data(path))
            if table is None or not table.rows:
                self.left.append(path)
            else:
                self.tables[path] = table

    @cached_property
    def parameters(self) -> Mapping[str, Sequence[object]]:
        """Name -> other values, of the parameters that have some. One that names a data file stays as it is."""
        known = self._bundle.parameters or {}
        names = {posixpath.basename(path) for path in self._paths()}
        free = {n: v for n, v in known.items() if not (isinstance(v, str) and posixpath.basename(v) in names and v)}
        return {name: values for name, value in free.items() if (values := other_values(value))}

    @property
    def is_possible(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.tables or self.parameters)

    def day(self, number: int) -> Day:
        """Return the day of a number, from 1."""
        draw = random.Random(f"{self._seed}-{number}")
        kinds = FIRST[number - 1] if number <= len(FIRST) else tuple(draw.sample(MILD, draw.randint(1, 4)))
        edits: list[Edit] = []
        for file, table in self.tables.items():
            for kind in kinds:
                edits += KINDS[kind](file, table, draw)
        if self.parameters and (not edits or draw.random() < 0.5):
            names = sorted(self.parameters)
            for name in draw.sample(names, draw.randint(1, min(2, len(names)))):
                edits.append(ParameterEdit(name, draw.choice(self.parameters[name])))
        return Day(tuple(edits))

    def write(self, day: Day, folder: Path) -> Path:
        """Write the edited data files of a day as a tree below a folder; return the folder to give as `--data`."""
        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        for file in day.files:
            target = data / posixpath.normpath(posixpath.join(self._bundle.place, file))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(apply(self.tables[file], day.of(file)))
        return data

    def _paths(self) -> list[str]:
        """Return the data files that steps read and no step makes, as the notebook writes them."""
        taken = (step.get("inputs") or {} for step in self._bundle.steps)
        return list(dict.fromkeys(path for inputs in taken for path in data_files(inputs)))

    def _data(self, path: str) -> bytes:
        """Return the content of a data file: the bundle's own, or at the place where it was when that was made."""
        initial = self._bundle.folder / "src" / self._bundle.package / "initial"
        own = initial / initial_file(FILE + path, self._bundle.place)
        if own.is_file():
            return own.read_bytes()
        try:
            place = Path(json.loads((initial / "files.json").read_bytes())[path]["at"])
            return place.read_bytes()
        except (OSError, KeyError):
            return b""
