"""Hidden variables: what a cell reads and writes without naming it.

`~random`, `~numpy.random`, `~numpy.entropy`, `~torch.random`, `~environ:NAME`, `~cwd`, `~sys.path`, `~sys.argv`,
`~pandas.options`, `~numpy.printoptions`, `~numpy.errstate`, `~sklearn.config`, `~matplotlib.rc`, `~warnings.filters`,
`~file:PATH`. The notebook's kernel watches them around every cell, a bundle's step sets and reads them: one code for
both.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Protocol

from ..errors import PipelineError
from .options import MatplotlibRc, NumpyErrors, NumpyPrint, PandasOptions, SklearnConfig, WarningFilters
from .process import Arguments, Home, ModulePath, WorkingDirectory, decoded, environment, set_variable
from .random_states import NumpyEntropy, NumpyRandom, PythonRandom, TorchRandom

ENVIRON = "~environ:"
FILE = "~file:"


class Family(Protocol):
    """One kind of hidden state. A snapshot is cheap to take and compare; a value is JSON."""

    library: str
    """The module that must be loaded for the state to be there; "" for none."""

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the state is the same as then, else a snapshot of it."""

    def value(self, snapshot: object) -> object:
        """Return a snapshot as JSON."""

    def set(self, value: object) -> None:
        """Make that JSON the state."""


HOME = Home()

FAMILIES: dict[str, Family] = {
    "~cwd": WorkingDirectory(HOME),
    "~sys.path": ModulePath(HOME),
    "~sys.argv": Arguments(),
    "~random": PythonRandom(),
    "~numpy.random": NumpyRandom(),
    "~numpy.entropy": NumpyEntropy(),
    "~torch.random": TorchRandom(),
    "~numpy.errstate": NumpyErrors(),
    "~numpy.printoptions": NumpyPrint(),
    "~pandas.options": PandasOptions(),
    "~sklearn.config": SklearnConfig(),
    "~matplotlib.rc": MatplotlibRc(),
    "~warnings.filters": WarningFilters(),
}
"""Families of one variable each, in the order in which they are set."""


def set_home(folder: Path) -> None:
    """Take a folder as the home of relative paths, and the module path now as the first one."""
    HOME.settle(folder)


def initial_file(name: str) -> str:
    """Return the name of the file under `initial/` that holds a hidden variable's first value.

    Examples
    --------
    >>> initial_file("~numpy.random"), initial_file("~environ:API_KEY"), initial_file("~file:data/a.csv")
    ('numpy.random.json', 'environ.API_KEY.json', 'files/data/a.csv')
    """
    if name.startswith(FILE):
        return f"files/{name.removeprefix(FILE)}"
    bare = name.removeprefix("~").replace(":", ".", 1)
    return re.sub(r"[^\w.-]", lambda found: f"%{ord(found[0]):02X}", bare) + ".json"


def names_now() -> set[str]:
    """Return the names of the hidden variables that exist now, apart from the environment and files."""
    return {name for name, family in FAMILIES.items() if _there(family)}


def read(name: str) -> object:
    """Return a hidden variable's value: JSON; for a file its bytes (None if there is none).

    Raises `PipelineError` for a name that is no hidden variable. A library that is not loaded is loaded.
    """
    if name.startswith(FILE):
        path = HOME.folder / name.removeprefix(FILE)
        return path.read_bytes() if path.is_file() else None
    if name.startswith(ENVIRON):
        return decoded(environment(None), name.removeprefix(ENVIRON))
    family = _family(name)
    _load(family)
    return family.value(family.snapshot(None))


def write(name: str, value: object) -> None:
    """Set a hidden variable to what `read` gave, here or in another process."""
    if name.startswith(FILE):
        _write_file(HOME.folder / name.removeprefix(FILE), value)
    elif name.startswith(ENVIRON):
        set_variable(name.removeprefix(ENVIRON), None if value is None else str(value))
    else:
        family = _family(name)
        _load(family)
        family.set(value)


def _write_file(path: Path, value: object) -> None:
    if isinstance(value, bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value)
    else:
        path.unlink(missing_ok=True)


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise PipelineError(
            f"{name!r} is no hidden variable: there are {', '.join(FAMILIES)}, {ENVIRON}NAME, {FILE}PATH"
        )
    return FAMILIES[name]


def _there(family: Family) -> bool:
    return not family.library or family.library in sys.modules


def _load(family: Family) -> None:
    if family.library:
        importlib.import_module(family.library)
