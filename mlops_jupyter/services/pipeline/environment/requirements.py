"""What a pipeline's steps need installed: what they import, pinned to what ran, locked with what that needs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.core.plan import Environment
from mlops_jupyter.runtime.model.package_versions import distributions, normal
from mlops_jupyter.services.pipeline.environment.implicit_requirements import needed
from mlops_jupyter.services.pipeline.steps.cell_code import CellCodes

VARIABLES = {"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
"""Set for every step: the order of sets, and drawing without a screen."""

OPEN_FIGURES = {"FIGURES_STAY_OPEN": "1"}
"""Set where the notebook did not close its figures when they had been shown (it had no screen either)."""

LOCK_SECONDS = 60

WHEELS = ("--only-binary", ":all:")

NO_SOLUTION = 1
"""uv's exit code where an index answered, but has not what is needed; another where none answered."""


@dataclass(frozen=True)
class RequirementsLock:
    """The text of requirements.lock, and a note for people where it is not sure to install; "" where it is."""

    text: str = ""
    note: str = ""


def environment(
    modules: Set[str], values: Iterable[object], parts: CellCodes, lock: bool
) -> tuple[Environment, list[str]]:
    """Pin what the steps use to the versions that ran here, and lock all that these need; return notes beside.

    Parameters
    ----------
    modules : what the steps import.
    values : what they hand on and deliver.
    """
    names = needed(modules, values) | set(_asked(parts))
    pinned = [f"{name}=={distributions()[name][0]}" for name in sorted(names)]
    made = locked(pinned) if lock else RequirementsLock()
    found = Environment(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        requirements=tuple(pinned),
        lock=made.text,
        variables=VARIABLES | (OPEN_FIGURES if parts.keeps_figures() else {}),
    )
    return found, [made.note] if made.note else []


def top_modules(text: str) -> frozenset[str]:
    """Return the top-level modules that Python text imports, its own package's and the standard library's left out."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(text)]
    while todo:
        node = todo.pop()
        todo += _within(node)
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return frozenset(found - sys.stdlib_module_names)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements of a statement's blocks. (Expressions, which import nothing, are nearly all of a tree.)"""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, block, ())
        if isinstance(inner, list):  # the body of a lambda or a conditional is an expression
            yield from inner


def _asked(parts: CellCodes) -> Iterator[str]:
    """What `%pip install` lines of the notebook named, as far as it is installed: a plugin may never be imported."""
    for part in parts:
        for text in part.translation.requirements:
            named = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)
            if named and normal(named[0]) in distributions():
                yield normal(named[0])


def locked(pinned: Sequence[str]) -> RequirementsLock:
    """Lock the pinned distributions with all they need, held to the versions installed here.

    uv is first asked to resolve them from wheels alone. If it can, each has a wheel for this Python and machine, and a
    wheel is only unpacked: the lock will install, and that cost nothing more. If it cannot, sources are allowed too.
    Before it asks an index it is asked what its own cache knows: where that has all the versions installed here, the
    lock holds nothing but these, and an index could add nothing to it.
    Without an index in reach the lock is read from the installed distributions' own metadata, which says the same.
    """
    if not pinned:
        return RequirementsLock()
    code, said = _resolve(pinned, *WHEELS, "--offline")
    if code == 0 and set(_lines(said)) <= set(_held()):
        return RequirementsLock(said)
    code, said = _resolve(pinned, *WHEELS)
    if code == 0:
        return RequirementsLock(said)
    if code == NO_SOLUTION:
        no_wheel = said
        code, said = _resolve(pinned)
        if code == 0:
            return RequirementsLock(said, f"requirements.lock needs a build from source to install: {no_wheel}")
    text = "\n".join(sorted(_closure(pinned), key=str.lower)) + "\n"
    return RequirementsLock(text, f"requirements.lock was not checked to install: {said}")


def _resolve(pinned: Sequence[str], *options: str) -> tuple[int, str]:
    """Let uv resolve; return its exit code, with the lock where that is 0 and the reason in one line where not."""
    from uv import find_uv_bin

    with tempfile.TemporaryDirectory() as folder:
        wanted, constraints = Path(folder, "in.txt"), Path(folder, "held.txt")
        wanted.write_text("\n".join(pinned))
        constraints.write_text("\n".join(_held()))
        command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
        command += ["--python", sys.executable, "--constraint", str(constraints), *options, str(wanted)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LOCK_SECONDS)
        except subprocess.TimeoutExpired:
            return -1, f"uv took longer than {LOCK_SECONDS} seconds"
    if done.returncode == 0:
        return 0, done.stdout
    lines = done.stderr.strip().splitlines() or [f"uv ended with exit code {done.returncode}"]
    cause = next((line for line in lines if "cause: " in line), lines[0])
    return done.returncode, cause.strip().removeprefix("cause: ").partition(", we can conclude")[0]


def _held() -> list[str]:
    """Every distribution that is installed here, pinned."""
    return [f"{name}=={version}" for name, (version, _) in distributions().items()]


def _lines(lock: str) -> Iterator[str]:
    """Yield what a lock pins, in the spelling of `_held`, without conditions and comments."""
    for line in lock.splitlines():
        name, _, version = re.split(r"[;#]", line)[0].strip().partition("==")
        if name:
            yield f"{normal(name)}=={version.strip()}"


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
