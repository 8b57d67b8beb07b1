"""Which hidden variables code may set: options, random states, the environment, what is set up in libraries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mlops_jupyter.analysis.library_setup import CALLS
from mlops_jupyter.analysis.mutations.records import StateChange
from mlops_jupyter.analysis.mutations.vocabulary import MUTATORS
from mlops_jupyter.analysis.syntax.qualified_names import qualified_path
from mlops_jupyter.core.hidden_names import (
    ARGUMENTS,
    CSV_DIALECTS,
    CSV_FIELD_SIZE,
    DECIMAL_CONTEXT,
    ENVIRON,
    FILE_TYPES,
    LOCALE,
    MATPLOTLIB_RC,
    MODULE_PATH,
    NUMPY_ERRORS,
    NUMPY_PRINT,
    NUMPY_RANDOM,
    PANDAS_OPTIONS,
    PYTHON_RANDOM,
    RECURSION_LIMIT,
    SETTINGS,
    SKLEARN_CONFIG,
    SOCKET_TIMEOUT,
    TORCH_RANDOM,
    WARNING_FILTERS,
    WORKING_DIRECTORY,
)

SETTERS = {
    "os.chdir": WORKING_DIRECTORY,
    "sys.path": MODULE_PATH,
    "sys.argv": ARGUMENTS,
    "numpy.seterr": NUMPY_ERRORS,
    "numpy.set_printoptions": NUMPY_PRINT,
    "pandas.set_option": PANDAS_OPTIONS,
    "pandas.reset_option": PANDAS_OPTIONS,
    "pandas.options": PANDAS_OPTIONS,
    "sklearn.set_config": SKLEARN_CONFIG,
    "matplotlib.rcParams": MATPLOTLIB_RC,
    "matplotlib.rc": MATPLOTLIB_RC,
    "matplotlib.rcdefaults": MATPLOTLIB_RC,
    "matplotlib.style.use": MATPLOTLIB_RC,
    "matplotlib.pyplot.rcParams": MATPLOTLIB_RC,
    "matplotlib.pyplot.rc": MATPLOTLIB_RC,
    "matplotlib.pyplot.rcdefaults": MATPLOTLIB_RC,
    "matplotlib.pyplot.style.use": MATPLOTLIB_RC,
    "seaborn.set": MATPLOTLIB_RC,
    "seaborn.set_theme": MATPLOTLIB_RC,
    "seaborn.set_style": MATPLOTLIB_RC,
    "seaborn.set_context": MATPLOTLIB_RC,
    "seaborn.set_palette": MATPLOTLIB_RC,
    "warnings.simplefilter": WARNING_FILTERS,
    "warnings.filterwarnings": WARNING_FILTERS,
    "warnings.resetwarnings": WARNING_FILTERS,
    "socket.setdefaulttimeout": SOCKET_TIMEOUT,
    "decimal.getcontext": DECIMAL_CONTEXT,
    "decimal.setcontext": DECIMAL_CONTEXT,
    "csv.field_size_limit": CSV_FIELD_SIZE,
    "csv.register_dialect": CSV_DIALECTS,
    "csv.unregister_dialect": CSV_DIALECTS,
    "mimetypes.add_type": FILE_TYPES,
    "mimetypes.init": FILE_TYPES,
    "locale.setlocale": LOCALE,
    "sys.setrecursionlimit": RECURSION_LIMIT,
    "torch.manual_seed": TORCH_RANDOM,
    "torch.set_rng_state": TORCH_RANDOM,
}
"""Qualified name, or the beginning of one -> the hidden variable that is set by a call of it, or by setting it."""

REGISTERS = re.compile(r"register(_(?!model)\w+)?").fullmatch
"""Match the last name of a call that registers something in a library."""

GENERATORS = {"random": PYTHON_RANDOM, "numpy.random": NUMPY_RANDOM}
"""Module -> the random state that each of its functions changes; its classes and `default_rng` do not."""

ENVIRONMENT = "os.environ"
ENVIRONMENT_SETTERS = frozenset({"setdefault", "update", "pop", "popitem", "clear", "putenv", "unsetenv"})


def hidden_variables(changes: Iterable[StateChange], imports: Mapping[str, str]) -> set[str]:
    """Return the hidden variables that code may set; `SETTINGS` for what no other one carries.

    Examples
    --------
    >>> changes = [StateChange(("np", "random", "seed"), is_call=True)]
    >>> hidden_variables(changes, {"np": "import numpy as np"})
    {'~numpy.random'}
    """
    hidden: set[str] = set()
    for change in changes:
        qualified = qualified_path(change.path, lambda name: imports.get(name, ""))
        if qualified:
            hidden.update(_of_library(change, qualified))
        elif change.is_call and change.in_block and change.path[-1] in CALLS and len(change.path) > 1:
            hidden.add(SETTINGS)
    return hidden


def _of_library(change: StateChange, qualified: str) -> Iterator[str]:
    module, _, last = qualified.rpartition(".")
    known = next((SETTERS[name] for name in _beginnings(qualified) if name in SETTERS), "")
    if known:
        yield known
    elif qualified.startswith(ENVIRONMENT) or (module == "os" and last in ENVIRONMENT_SETTERS):
        if not change.is_call or last in ENVIRONMENT_SETTERS:
            yield ENVIRON + change.key if change.key else SETTINGS
    elif module in GENERATORS and change.is_call:
        if last.islower() and last != "default_rng":
            yield GENERATORS[module]
    elif not change.is_call:
        if change.in_block or change.is_item:
            yield SETTINGS
    elif (len(change.path) > 2 and last in MUTATORS) or (change.in_block and (last in CALLS or REGISTERS(last))):
        yield SETTINGS


def _beginnings(qualified: str) -> Iterator[str]:
    parts = qualified.split(".")
    return (".".join(parts[:count]) for count in range(len(parts), 0, -1))
