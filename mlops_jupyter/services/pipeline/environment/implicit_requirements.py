"""What a bundle needs installed though no step imports it: what its packages use if they find it, and its values.

`df.plot()` draws with matplotlib, `load_iris(as_frame=True)` gives a frame of pandas, and neither stands in the text.
What was used is not seen (an unused import loads a package, too), so all that the notebook had loaded counts that a
package of the steps names as optional: one too many does no harm, a missing one fails elsewhere.
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
"""What the formats need that a bundle saves a package's values in."""

UNSAID = {"sklearn": ("matplotlib", "pandas", "polars")}
"""What a package uses if it is there, and does not say so in its metadata."""

OF_NOTEBOOKS = frozenset(
    {"anywidget", "ipykernel", "ipython", "ipywidgets", "jupyterlab", "mlops-jupyter", "nbformat", "notebook"}
)
"""What shows things in a notebook, and makes values (a shell line's list, a run) that are others in a bundle."""

REQUIRED = re.compile(r"^Requires-Dist: *([\w.-]+)(?!.*\bextra *==)", re.MULTILINE)
OPTIONAL = re.compile(r"^Requires-Dist: *([\w.-]+).*;.*\bextra *== *['\"](?!test)", re.MULTILINE)
OWN_NAME = re.compile(rb"^(\w+)(?:/|\.py,|\.cpython-|\.abi3)", re.MULTILINE)

FEW = 20
"""Elements of a container that are looked at."""


def needed(modules: Set[str], values: Iterable[object]) -> set[str]:
    """Return the distributions that steps need which import these top-level modules and hand these values on."""
    made = {module for value in values for module in _made_of(value)}
    named = {*modules, *(module for module in made if provider(module) not in OF_NOTEBOOKS)}
    todo = list(named)
    for module in named:
        todo += (extra for extra in UNSAID.get(module, ()) if extra in sys.modules)
    found = {provider(module) for module in todo} - {""}  # what no distribution provides is the project's own
    facts = [_metadata(name) for name in sorted(found)]
    loaded = {extra for text in facts for extra in _names(OPTIONAL, text) - OF_NOTEBOOKS if _loaded(extra)}
    found |= loaded.difference(*(_names(REQUIRED, text) for text in facts))  # these are locked anyway
    formats = {engine for module, engines in ENGINES.items() if provider(module) in found for engine in engines}
    return found | ({provider(module) for module in formats} - {""})


def _made_of(value: object, depth: int = 2) -> Iterator[str]:
    """Yield the top-level modules of a value's classes, and of those of a container's first elements."""
    for kind in type.__getattribute__(type(value), "__mro__"):  # not what a metaclass may say
        top = str(type.__getattribute__(kind, "__module__")).partition(".")[0]
        if top not in sys.stdlib_module_names and top != "__main__":
            yield top
    if depth and type(value) in (list, tuple, dict):
        inner: Any = value.values() if isinstance(value, dict) else value
        for each in islice(inner, FEW):
            yield from _made_of(each, depth - 1)


def _metadata(name: str) -> str:
    try:
        return (distributions()[name][1] / "METADATA").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _names(pattern: re.Pattern[str], metadata: str) -> set[str]:
    """Return the installed distributions that a pattern finds in a distribution's metadata."""
    return {normal(found) for found in pattern.findall(metadata)} & distributions().keys()


def _loaded(name: str) -> bool:
    """Whether a module of a distribution is loaded: as a rule one of its own name, else one that it installed."""
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
