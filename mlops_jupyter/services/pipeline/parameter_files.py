"""Data files that other values of a parameter would name: they travel, since a run may ask for them."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from mlops_jupyter.core.plan import Parameter, PlanStep
from mlops_jupyter.runtime.model.pipeline import data_files

MOST = 20
"""More files than this are not what a parameter chooses among: a folder of data, of which a run is given its own."""


def named_by_parameters(parameters: Iterable[Parameter], steps: Iterable[PlanStep], folder: Path) -> dict[str, str]:
    """Return path -> parameter of the files that lie where a parameter names a data file, and are called like it.

    `src = "a.csv"` means the tables beside `a.csv`; `year = 2024` and `sales_2024.csv` mean `sales_*.csv`.

    Parameters
    ----------
    folder : the notebook's folder.
    """
    read = {path for step in steps for path in data_files(step.inputs)}
    found: dict[str, str] = {}
    for parameter in parameters:
        if isinstance(parameter.default, str | int) and not isinstance(parameter.default, bool):
            for pattern in {p for path in read for p in _patterns(path, str(parameter.default))}:
                paths = [p for p in glob.glob(pattern, root_dir=folder) if (folder / p).is_file() and p not in read]  # noqa: PTH207
                if len(paths) <= MOST:
                    found |= dict.fromkeys(sorted(paths), parameter.name)
    return found


def _patterns(path: str, value: str) -> Iterator[str]:
    """Yield patterns of the files that a data file may be exchanged for, if the value is its path or a part of it."""
    where = PurePosixPath(path)
    if where.is_absolute() or not value:
        return
    if value == path:
        yield str(PurePosixPath(glob.escape(str(where.parent))) / f"*{glob.escape(where.suffix)}")
        return
    alone = r"(?<![^\W_]){}(?![^\W_])" if len(value) == 1 else "{}"
    for match in re.finditer(alone.format(re.escape(value)), path):
        yield f"{glob.escape(path[: match.start()])}*{glob.escape(path[match.end() :])}"
