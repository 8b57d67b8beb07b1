"""Hidden variables: state that a cell reads and writes without naming it.

`~random`, `~numpy.random`, `~numpy.entropy`, `~torch.random`, `~environ:NAME`, `~cwd`, `~sys.path`, `~sys.argv`,
`~pandas.options`, `~numpy.printoptions`, `~numpy.errstate`, `~sklearn.config`, `~matplotlib.rc`, `~warnings.filters`,
`~socket.timeout`, `~decimal.context`, `~csv.field_size_limit`, `~csv.dialects`, `~mimetypes`, `~locale`,
`~logging.levels`, `~sys.recursionlimit`, `~file:PATH`. The notebook's kernel watches them around every
cell, a bundle's step sets and reads them: both by this code.
"""

from __future__ import annotations

import importlib
import posixpath
import re
import sys
from pathlib import Path
from typing import Protocol

from ..errors import PipelineError
from . import names, standard_library
from .names import ENVIRON, FILE
from .options import MatplotlibRc, NumpyErrors, NumpyPrint, PandasOptions, SklearnConfig, WarningFilters
from .process import Arguments, Home, ModulePath, WorkingDirectory, decoded, environment, set_variable
from .random_states import NumpyEntropy, NumpyRandom, PythonRandom, TorchRandom


class Family(Protocol):
    """A kind of hidden variable. Snapshots are cheap to take and to compare; values are JSON."""

    library: str
    """The module that must be loaded for the state to exist; "" for none."""

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the state has not changed since, else a new snapshot."""

    def value(self, snapshot: object) -> object:
        """Return a snapshot as JSON."""

    def set(self, value: object) -> None:
        """Set the state to a value that `value` returned."""


HOME = Home()

FAMILIES: dict[str, Family] = {
    names.WORKING_DIRECTORY: WorkingDirectory(HOME),
    names.MODULE_PATH: ModulePath(HOME),
    names.ARGUMENTS: Arguments(),
    names.PYTHON_RANDOM: PythonRandom(),
    names.NUMPY_RANDOM: NumpyRandom(),
    names.NUMPY_ENTROPY: NumpyEntropy(),
    names.TORCH_RANDOM: TorchRandom(),
    names.NUMPY_ERRORS: NumpyErrors(),
    names.NUMPY_PRINT: NumpyPrint(),
    names.PANDAS_OPTIONS: PandasOptions(),
    names.SKLEARN_CONFIG: SklearnConfig(),
    names.MATPLOTLIB_RC: MatplotlibRc(),
    names.WARNING_FILTERS: WarningFilters(),
    names.SOCKET_TIMEOUT: standard_library.SOCKET,
    names.DECIMAL_CONTEXT: standard_library.CONTEXT,
    names.CSV_FIELD_SIZE: standard_library.FIELD_SIZE,
    names.CSV_DIALECTS: standard_library.DIALECTS,
    names.FILE_TYPES: standard_library.FileTypes(),
    names.LOCALE: standard_library.LOCALE,
    names.LOGGER_LEVELS: standard_library.LEVELS,
    names.RECURSION_LIMIT: standard_library.RECURSION,
}
"""Hidden variable -> its family, in the order in which the variables are set."""


def set_home(folder: Path) -> None:
    """Set the home folder of relative paths, and take the current `sys.path` as the original module path."""
    HOME.settle(folder)


def initial_file(name: str, folder: str = "") -> str:
    """Return the name of the file under `initial/` that holds a hidden variable's initial value.

    Parameters
    ----------
    folder : of data files, where the working directory stands in their tree (see `Pipeline.folder`).

    Examples
    --------
    >>> initial_file("~numpy.random"), initial_file("~environ:API_KEY"), initial_file("~file:data/a.csv")
    ('numpy.random.json', 'environ.API_KEY.json', 'files/data/a.csv')
    >>> initial_file("~file:../data/a.csv", "notebooks"), initial_file("~file:b.csv", "notebooks")
    ('files/data/a.csv', 'files/notebooks/b.csv')
    """
    if name.startswith(FILE):
        return f"files/{posixpath.normpath(posixpath.join(folder, name.removeprefix(FILE)))}"
    bare = name.removeprefix("~").replace(":", ".", 1)
    return re.sub(r"[^\w.-]", lambda match: f"%{ord(match[0]):02X}", bare) + ".json"


def names_now() -> set[str]:
    """Return the names of the hidden variables that exist now, except environment variables and files."""
    return {name for name, family in FAMILIES.items() if _there(family)}


def read(name: str) -> object:
    """Return a hidden variable's value as JSON; for a file its bytes, or None if it does not exist.

    Imports the variable's library if it is not loaded. Raises `PipelineError` for a name that is no hidden variable.
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
    """Set a hidden variable to a value that `read` returned, in this process or another."""
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
