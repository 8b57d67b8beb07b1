"""What a pipeline's steps need installed: what they import, pinned to what ran, locked with what that needs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from mlops_jupyter.core.plan import Environment
from mlops_jupyter.runtime.installed import distributions, normal, provider
from mlops_jupyter.services.pipeline.parts import Parts

UNIMPORTED = {"pandas": ("pyarrow",), "sklearn": ("skops", "joblib", "cloudpickle")}
"""What a bundle uses without an import in a step: the engines of the formats it saves."""

VARIABLES = {"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
"""Set for every step: the order of sets, and drawing without a screen."""

LOCK_SECONDS = 60


def environment(modules: Set[str], parts: Parts, lock: bool) -> Environment:
    """Pin what the steps import to the versions that ran here, and lock all that these need."""
    wanted = modules | {extra for m in modules for extra in UNIMPORTED.get(m, ())}
    names = {provider(module) for module in wanted} - {""}  # what no distribution provides is the project's own
    pinned = [f"{name}=={distributions()[name][0]}" for name in sorted(names | set(_asked(parts)))]
    return Environment(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        requirements=tuple(pinned),
        lock=locked(pinned) if lock else "",
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


def _asked(parts: Parts) -> Iterator[str]:
    """What `%pip install` lines of the notebook named, as far as it is installed: a plugin may never be imported."""
    for part in parts:
        for text in part.translation.requirements:
            named = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)
            if named and normal(named[0]) in distributions():
                yield normal(named[0])


def locked(pinned: Sequence[str]) -> str:
    """Return requirements.lock: uv's resolution of the pinned ones, held to the versions installed here.

    Without an index in reach it is read from the installed distributions' own metadata, which says the same.
    """
    from uv import find_uv_bin

    held = "\n".join(f"{name}=={version}" for name, (version, _) in distributions().items())
    with tempfile.TemporaryDirectory() as folder:
        wanted, constraints = Path(folder, "in.txt"), Path(folder, "held.txt")
        wanted.write_text("\n".join(pinned))
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
    import importlib.metadata

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
