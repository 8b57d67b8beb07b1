"""What a pipeline's steps need installed: what they import, pinned to what ran, locked with what that needs."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from mlops_jupyter.core.plan import Environment, Step
from mlops_jupyter.services.pipeline.parts import Parts

UNIMPORTED = {"pandas": ("pyarrow",), "sklearn": ("skops",), "sklearn.": ("joblib",)}
"""What a bundle uses without an import in a step: the engines of the formats it saves."""

VARIABLES = {"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
"""Set for every step: the order of sets, and drawing without a screen."""

LOCK_SECONDS = 60


def environment(steps: Sequence[Step], files: Mapping[str, bytes], parts: Parts, lock: bool) -> Environment:
    """Pin what the steps import to the versions that ran here, and lock all that these need."""
    modules = {m for step in steps for m in step.imports}
    names = _distributions(modules | {extra for m in modules for extra in UNIMPORTED.get(m, ())})
    asked = {w for step in steps for w in _asked(parts)}
    pinned = sorted({f"{name}=={importlib.metadata.version(name)}" for name in names}, key=str.lower)
    return Environment(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        requirements=tuple(pinned),
        lock=locked(pinned, sorted(asked)) if lock else "",
        variables=VARIABLES,
    )


def top_modules(text: str) -> frozenset[str]:
    """Return the top-level modules that Python text imports, its own package's and the standard library's left out."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return frozenset(found - sys.stdlib_module_names)


def _asked(parts: Parts) -> Iterable[str]:
    """What `%pip install` lines of the notebook asked for and is installed."""
    return ()


def _distributions(modules: Iterable[str]) -> set[str]:
    """Return the distributions that provide modules; one that none provides is the project's own."""
    known = _packages()
    return {distribution for module in modules for distribution in known.get(module, ())[:1]}


@cache
def _packages() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def locked(pinned: Sequence[str], asked: Sequence[str] = ()) -> str:
    """Return requirements.lock: uv's resolution of the pinned ones, held to the versions installed here.

    Without an index in reach it is read from the installed distributions' own metadata, which says the same.
    """
    from uv import find_uv_bin

    held = "\n".join(f"{d.name}=={d.version}" for d in importlib.metadata.distributions() if d.name)
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        wanted, constraints = Path(folder, "in.txt"), Path(folder, "held.txt")
        wanted.write_text("\n".join([*pinned, *asked]))
        constraints.write_text(held)
        command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
        command += ["--python", sys.executable, "--constraint", str(constraints), str(wanted)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LOCK_SECONDS)
            if done.returncode == 0:
                return done.stdout
        except subprocess.TimeoutExpired:
            pass
    return "\n".join(sorted(_closure(pinned), key=str.lower)) + "\n"


def _closure(pinned: Sequence[str]) -> set[str]:
    """Return the pinned distributions with all they need, at the versions installed here."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    todo = [line.partition("==")[0] for line in pinned]
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = f"{name}=={distribution.version}"
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    return set(found.values())
