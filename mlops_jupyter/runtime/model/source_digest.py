"""A step's code as it lies in the bundle: a person may have edited it since it was exported.

A step's version is made at export, from code in its normal form: a comment changes nothing. So that an edited step is
not taken for what it was, an export also notes a digest of the files. Where they are others now, that becomes part of
the version, and with it of what the step's result is kept under.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ..hashing import source_digest
from .pipeline import Pipeline, Step

GENERATED = ("__init__.py", "__main__.py", "pipeline.py")
"""Files of the package that hold no step's code; what `pipeline.py` says is in the keys of its steps."""

NOT_CODE = ("runtime", "initial", "__pycache__")
"""Folders of the package that hold no step's code."""


class SourceDigests:
    """The code of a package's steps, file by file. Looks at files; changes none.

    Parameters
    ----------
    paths : of the files in the package's folder, as in "steps/load.py"; those that are no code do not count.
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
        """Return the digest of what a step runs: its module, and all that several steps share."""
        own = self._read(module)
        if f"{self._package}.steps".encode() in own or b"from ." in own:  # it runs what other steps do
            return self._digest(self._code, module)
        if self._shared is None:
            self._shared = self._digest([path for path in self._code if not path.startswith("steps/")], "")
        return self._digest([module], self._shared)

    def _digest(self, paths: Iterable[str], more: str) -> str:
        return source_digest(more, ((path, self._read(path)) for path in paths))


def _is_code(path: str) -> bool:
    return path.endswith(".py") and path not in GENERATED and path.partition("/")[0] not in NOT_CODE


def as_on_disk(pipeline: Pipeline, folder: Path, only: str | None = None) -> Pipeline:
    """Return the pipeline with another version for each step (or one) whose code is not as it was exported."""
    return with_edits(
        pipeline, SourceDigests(pipeline.package, code_files(folder), lambda path: (folder / path).read_bytes()), only
    )


def with_edits(pipeline: Pipeline, sources: SourceDigests, only: str | None = None) -> Pipeline:
    """Return the pipeline with another version for each step (or one) whose code these sources have otherwise."""
    steps = (
        step if only not in (None, step.name) else _now(step, sources, pipeline.package) for step in pipeline.steps
    )
    return replace(pipeline, steps=tuple(steps))


def _now(step: Step, sources: SourceDigests, package: str) -> Step:
    module = step.function.partition(":")[0].removeprefix(f"{package}.").replace(".", "/") + ".py"
    if module not in sources:
        return step  # what cannot be read here cannot have been edited here
    found = sources.of(module)
    return step if found == step.source else replace(step, version=f"{step.version}+{found}")


def code_files(folder: Path) -> Iterator[str]:
    """Yield the paths of the Python files in a package's folder, without those of folders that hold no step's code."""
    for parent, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name not in NOT_CODE]
        yield from (Path(parent, name).relative_to(folder).as_posix() for name in names if name.endswith(".py"))
