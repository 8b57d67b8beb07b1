"""Digests of a step's code as it is on the disk: a person may have edited it since it was exported.

A step's version is computed at export, from normalized code, in which comments do not count. So that the cache does not
take an edited step for the exported one, an export also stores a digest of the files. If the digest differs at a run,
it becomes part of the version, and thereby of the step's cache key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ..hashing import source_digest
from .pipeline import Pipeline, Step

GENERATED = ("__init__.py", "__main__.py", "pipeline.py")
"""Files of the package that hold no code of steps; the content of `pipeline.py` is in the cache keys of its steps."""

NOT_CODE = ("runtime", "initial", "__pycache__")
"""Folders of the package that hold no code of steps."""


class SourceDigests:
    """Computes digests of the code of a package's steps. Only reads files.

    Parameters
    ----------
    paths : files of the package's folder, as in "steps/load.py"; those without code of steps are ignored.
    read : path -> content.
    """

    def __init__(self, package: str, paths: Iterable[str], read: Callable[[str], bytes]) -> None:
        self._package = package
        self._code = sorted(filter(_is_code, paths))
        self._known = frozenset(self._code)
        self._read = read
        self._shared: str | None = None

    def __contains__(self, module: str) -> bool:
        return module in self._known

    def of(self, module: str) -> str:
        """Return the digest of the code that a step runs: its module, shared code, and other steps if it uses them."""
        own = self._read(module)
        if f"{self._package}.steps".encode() in own or b"from ." in own:  # it imports other steps: all code counts
            return self._digest(self._code, module)
        if self._shared is None:
            self._shared = self._digest([path for path in self._code if not path.startswith("steps/")], "")
        return self._digest([module], self._shared)

    def _digest(self, paths: Iterable[str], more: str) -> str:
        return source_digest(more, ((path, self._read(path)) for path in paths))


def _is_code(path: str) -> bool:
    return path.endswith(".py") and path not in GENERATED and path.partition("/")[0] not in NOT_CODE


def as_on_disk(pipeline: Pipeline, folder: Path, only: str | None = None) -> Pipeline:
    """Return the pipeline with a new version for each step (or step `only`) whose code on the disk was edited."""
    return with_edits(
        pipeline, SourceDigests(pipeline.package, code_files(folder), lambda path: (folder / path).read_bytes()), only
    )


def with_edits(pipeline: Pipeline, sources: SourceDigests, only: str | None = None) -> Pipeline:
    """Return the pipeline with a new version for each step (or step `only`) whose code differs in `sources`."""
    steps = (
        step if only not in (None, step.name) else _now(step, sources, pipeline.package) for step in pipeline.steps
    )
    return replace(pipeline, steps=tuple(steps))


def _now(step: Step, sources: SourceDigests, package: str) -> Step:
    module = step.function.partition(":")[0].removeprefix(f"{package}.").replace(".", "/") + ".py"
    if module not in sources:
        return step  # a module outside these files cannot have been edited here
    digest = sources.of(module)
    return step if digest == step.source else replace(step, version=f"{step.version}+{digest}")


def code_files(folder: Path) -> Iterator[str]:
    """Yield the paths of the Python files in a package's folder, except in folders that hold no code of steps."""
    for parent, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name not in NOT_CODE]
        yield from (Path(parent, name).relative_to(folder).as_posix() for name in names if name.endswith(".py"))
