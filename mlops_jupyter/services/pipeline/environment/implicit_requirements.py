"""Implicit requirements: distributions that no step imports, but that its packages or its values need.

`df.plot()` draws with matplotlib, `load_iris(as_frame=True)` gives a frame of pandas, and the cells import neither.
Nothing shows which of the loaded packages was used, so every optional dependency of the steps' packages that the
notebook had loaded counts as required: one too many does no harm, a missing one fails on another machine.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Set
from itertools import islice
from pathlib import Path
from typing import Any

from mlops_jupyter.runtime.model.package_versions import distributions, normal, provider

ENGINES = {"pandas": ("pyarrow",), "sklearn": ("skops", "joblib", "cloudpickle")}
"""Package -> packages that the formats need in which a bundle saves the package's values."""

UNSAID = {"sklearn": ("matplotlib", "pandas", "polars")}
"""Package -> packages that it uses if they are installed, without declaring them in its metadata."""

OF_NOTEBOOKS = frozenset(
    {"anywidget", "ipykernel", "ipython", "ipywidgets", "jupyterlab", "mlops-jupyter", "nbformat", "notebook"}
)
"""Distributions of the notebook itself: values of their classes (a shell line's list, a run) differ in a bundle."""

REQUIRED = re.compile(r"^Requires-Dist: *([\w.-]+)(?!.*\bextra *==)", re.MULTILINE)
OPTIONAL = re.compile(r"^Requires-Dist: *([\w.-]+).*;.*\bextra *== *['\"](?!test)", re.MULTILINE)
OWN_NAME = re.compile(rb"^(\w+)(?:/|\.py,|\.cpython-|\.abi3)", re.MULTILINE)

FEW = 20
"""How many elements of a container are looked at."""


def needed(modules: Set[str], values: Iterable[object]) -> set[str]:
    """Return the distributions that steps need, given their top-level imports and the values that they hand on."""
    value_modules = {module for value in values for module in _made_of(value)}
    imported = {*modules, *(module for module in value_modules if provider(module) not in OF_NOTEBOOKS)}
    candidates = list(imported)
    for module in imported:
        candidates += (extra for extra in UNSAID.get(module, ()) if extra in sys.modules)
    names = {provider(module) for module in candidates} - {""}  # what no distribution provides is the project's own
    metadata = [_metadata(name) for name in sorted(names)]
    optional = {extra for text in metadata for extra in _names(OPTIONAL, text) - OF_NOTEBOOKS if _loaded(extra)}
    names |= optional.difference(*(_names(REQUIRED, text) for text in metadata))  # these are locked anyway
    formats = {engine for module, engines in ENGINES.items() if provider(module) in names for engine in engines}
    return names | ({provider(module) for module in formats} - {""})


def _made_of(value: object, depth: int = 2) -> Iterator[str]:
    """Yield the top-level modules of the classes of a value and of a container's first elements."""
    for kind in type.__getattribute__(type(value), "__mro__"):  # bypasses what a metaclass may say
        top = str(type.__getattribute__(kind, "__module__")).partition(".")[0]
        if top not in sys.stdlib_module_names and top != "__main__":
            yield top
    if depth and type(value) in (list, tuple, dict):
        elements: Any = value.values() if isinstance(value, dict) else value
        for element in islice(elements, FEW):
            yield from _made_of(element, depth - 1)


def _metadata(name: str) -> str:
    try:
        return (distributions()[name][1] / "METADATA").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _names(pattern: re.Pattern[str], metadata: str) -> set[str]:
    """Return the installed distributions whose names a pattern finds in a distribution's metadata."""
    return {normal(found) for found in pattern.findall(metadata)} & distributions().keys()


def _loaded(name: str) -> bool:
    """Say whether a module of a distribution is loaded: the one of its own name, else any that it installed."""
    folder = distributions()[name][1]
    own = name.replace("-", "_")
    if own in sys.modules or (folder.parent / own).is_dir():
        return own in sys.modules
    return any(top in sys.modules for top in _installed(folder))


def _installed(folder: Path) -> set[str]:
    try:
        return {top.decode() for top in OWN_NAME.findall((folder / "RECORD").read_bytes())}
    except OSError:
        return set()
