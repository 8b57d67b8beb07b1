"""The names of all hidden variables: those that bundles know too, and those of a notebook's analysis alone."""

from __future__ import annotations

from mlops_jupyter.runtime.hidden.names import (
    ARGUMENTS,
    CSV_DIALECTS,
    CSV_FIELD_SIZE,
    DECIMAL_CONTEXT,
    ENVIRON,
    FILE,
    FILE_TYPES,
    HIDDEN,
    LOCALE,
    LOGGER_LEVELS,
    MATPLOTLIB_RC,
    MODULE_PATH,
    NUMPY_ENTROPY,
    NUMPY_ERRORS,
    NUMPY_PRINT,
    NUMPY_RANDOM,
    PANDAS_OPTIONS,
    PYTHON_RANDOM,
    RANDOM,
    RECURSION_LIMIT,
    SKLEARN_CONFIG,
    SOCKET_TIMEOUT,
    STANDARD_LIBRARY,
    TORCH_RANDOM,
    WARNING_FILTERS,
    WORKING_DIRECTORY,
)

__all__ = [
    "AMBIENT",
    "ARGUMENTS",
    "CSV_DIALECTS",
    "CSV_FIELD_SIZE",
    "DECIMAL_CONTEXT",
    "DRAWING",
    "ENVIRON",
    "FIGURE",
    "FILE",
    "FILE_TYPES",
    "HIDDEN",
    "LOCALE",
    "LOGGER_LEVELS",
    "MATPLOTLIB_RC",
    "MODULE_PATH",
    "MODULE_STATE",
    "NUMPY_ENTROPY",
    "NUMPY_ERRORS",
    "NUMPY_PRINT",
    "NUMPY_RANDOM",
    "PANDAS_OPTIONS",
    "PYTHON_RANDOM",
    "RANDOM",
    "RECURSION_LIMIT",
    "SETTINGS",
    "SKLEARN_CONFIG",
    "SOCKET_TIMEOUT",
    "STANDARD_LIBRARY",
    "TORCH_RANDOM",
    "UNSEEN",
    "WARNING_FILTERS",
    "WORKING_DIRECTORY",
]

SETTINGS = "~settings"
"""What statements set up in libraries. It is no value: steps repeat the statements, or are merged."""

MODULE_STATE = "~module:"
"""Prefix of what a module keeps for itself, such as duckdb's default connection: steps that use it are merged, and a
slice keeps the calls that set it."""

DRAWING = "~pyplot"
"""The figures that matplotlib.pyplot has open, which a later cell may draw on. They stay in their process."""

FIGURE = "~figure:"
"""Prefix of single figures, by which a slice tells which cells drew on the same one."""

UNSEEN = "~unseen"
"""Stands for what a cell did to modules and classes, or to the world outside, which capture does not observe."""

AMBIENT = (
    SETTINGS,
    UNSEEN,
    ENVIRON,
    WORKING_DIRECTORY,
    MODULE_PATH,
    ARGUMENTS,
    PANDAS_OPTIONS,
    SKLEARN_CONFIG,
    NUMPY_PRINT,
    NUMPY_ERRORS,
    MATPLOTLIB_RC,
    WARNING_FILTERS,
    *STANDARD_LIBRARY,
)
"""Hidden variables that any code may read without naming them; random states and files are observed when used."""
