"""A pipeline's requirements: what its steps import, pinned to the installed versions, and locked with dependencies."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.core.plan import Environment
from mlops_jupyter.runtime.model.package_versions import distributions, normal
from mlops_jupyter.services.pipeline.environment.implicit_requirements import needed
from mlops_jupyter.services.pipeline.steps.cell_code import CellCodes

VARIABLES = {"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
"""Environment variables of every step: they fix the order of sets, and let matplotlib draw without a screen."""

OPEN_FIGURES = {"FIGURES_STAY_OPEN": "1"}
"""Environment variable of every step where the notebook kept its figures open after they had been shown."""

LOCK_SECONDS = 60

WHEELS = ("--only-binary", ":all:")

NO_SOLUTION = 1
"""uv's exit code where an index answered but lacks a needed distribution; other codes mean that no index answered."""


@dataclass(frozen=True)
class RequirementsLock:
    """The text of requirements.lock, and a note for the user if it may not install ("" if it will)."""

    text: str = ""
    note: str = ""


def environment(
    modules: Set[str], values: Iterable[object], parts: CellCodes, lock: bool, variables: Mapping[str, str]
) -> tuple[Environment, list[str]]:
    """Pin the steps' requirements to the versions installed here and lock them; return the environment and notes.

    Parameters
    ----------
    modules : the top-level modules that the steps import.
    values : the values that the steps hand on and deliver.
    lock : whether to lock the requirements.
    variables : environment variables of the steps, beside those that every pipeline has.
    """
    names = needed(modules, values) | set(_asked(parts))
    pinned = [f"{name}=={distributions()[name][0]}" for name in sorted(names)]
    requirements_lock = locked(pinned) if lock else RequirementsLock()
    result = Environment(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        requirements=tuple(pinned),
        lock=requirements_lock.text,
        variables={**VARIABLES, **variables, **(OPEN_FIGURES if parts.keeps_figures() else {})},
    )
    return result, [requirements_lock.note] if requirements_lock.note else []


def top_modules(text: str) -> frozenset[str]:
    """Return the top-level modules that Python text imports, without relative imports and the standard library."""
    modules: set[str] = set()
    todo: list[ast.AST] = [ast.parse(text)]
    while todo:
        node = todo.pop()
        todo += _within(node)
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module.split(".")[0])
    return frozenset(modules - sys.stdlib_module_names)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements in a statement's blocks. Expressions import nothing and are most of a tree: skip them."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, block, ())
        if isinstance(inner, list):  # the body of a lambda or a conditional is an expression
            yield from inner


def _asked(parts: CellCodes) -> Iterator[str]:
    """Yield the installed distributions that `%pip install` lines named: a plugin may never be imported."""
    for part in parts:
        for text in part.translation.requirements:
            named = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)
            if named and normal(named[0]) in distributions():
                yield normal(named[0])


def locked(pinned: Sequence[str]) -> RequirementsLock:
    """Lock the pinned distributions with all their dependencies, constrained to the versions installed here.

    uv first resolves them offline, from its cache: if the lock then holds only versions that are installed here, an
    index could add nothing to it. Otherwise uv asks the index, for wheels alone at first. If it succeeds, every
    distribution has a wheel for this Python and machine, and the lock will install. If not, sources are allowed too.
    Without an index in reach the lock is read from the metadata of the installed distributions, which says the same.
    """
    if not pinned:
        return RequirementsLock()
    code, output = _resolve(pinned, *WHEELS, "--offline")
    if code == 0 and set(_lines(output)) <= set(_held()):
        return RequirementsLock(output)
    code, output = _resolve(pinned, *WHEELS)
    if code == 0:
        return RequirementsLock(output)
    if code == NO_SOLUTION:
        no_wheel = output
        code, output = _resolve(pinned)
        if code == 0:
            return RequirementsLock(output, f"requirements.lock needs a build from source to install: {no_wheel}")
    text = "\n".join(sorted(_closure(pinned), key=str.lower)) + "\n"
    return RequirementsLock(text, f"requirements.lock was not checked to install: {output}")


def _resolve(pinned: Sequence[str], *options: str) -> tuple[int, str]:
    """Resolve with uv; return its exit code, and the lock if that is 0, else the reason in one line."""
    from uv import find_uv_bin

    with tempfile.TemporaryDirectory() as folder:
        requested, constraints = Path(folder, "in.txt"), Path(folder, "held.txt")
        requested.write_text("\n".join(pinned))
        constraints.write_text("\n".join(_held()))
        command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
        command += ["--python", sys.executable, "--constraint", str(constraints), *options, str(requested)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=LOCK_SECONDS)
        except subprocess.TimeoutExpired:
            return -1, f"uv took longer than {LOCK_SECONDS} seconds"
    if result.returncode == 0:
        return 0, result.stdout
    lines = result.stderr.strip().splitlines() or [f"uv ended with exit code {result.returncode}"]
    cause = next((line for line in lines if "cause: " in line), lines[0])
    return result.returncode, cause.strip().removeprefix("cause: ").partition(", we can conclude")[0]


def _held() -> list[str]:
    """Return every distribution that is installed here, pinned to its version."""
    return [f"{name}=={version}" for name, (version, _) in distributions().items()]


def _lines(lock: str) -> Iterator[str]:
    """Yield the pins of a lock, spelled as in `_held`, without markers and comments."""
    for line in lock.splitlines():
        name, _, version = re.split(r"[;#]", line)[0].strip().partition("==")
        if name:
            yield f"{normal(name)}=={version.strip()}"


def _closure(pinned: Sequence[str]) -> set[str]:
    """Return the pinned distributions with all their dependencies, pinned to the versions installed here."""
    import importlib.metadata

    from packaging.requirements import Requirement

    pins: dict[str, str] = {}
    todo = [line.partition("==")[0] for line in pinned]
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in pins:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        pins[name] = f"{name}=={distribution.version}"
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    return set(pins.values())
