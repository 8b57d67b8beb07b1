"""A step's code as it lies in the bundle: a person may have edited it since it was exported.

A step's version is made at export, from code in its normal form: a comment changes nothing. So that an edited step is not
taken for what it was, an export also notes a digest of the files. Where they are others now, that becomes part of the
version, and with it of what the step's result is kept under.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .pipeline import Pipeline, Step

GENERATED = ("__init__.py", "__main__.py", "pipeline.py")
"""Files of the package that hold no step's code; what `pipeline.py` says is in the keys of its steps."""

NOT_CODE = ("runtime", "initial", "__pycache__")
"""Folders of the package that hold no step's code."""


def source(module: str, package: str, files: Mapping[str, bytes]) -> str:
    """Return the digest of what a step runs: its module, and all that several steps share.

    Parameters
    ----------
    module : path in the package's folder, as in "steps/load.py".
    files : path in the package's folder -> content; those that are no code are not looked at.
    """
    own = files[module]
    alone = f"{package}.steps".encode() not in own and b"from ." not in own
    found = hashlib.blake2b(digest_size=16)
    for path in sorted(files):
        top, inner, _ = path.partition("/")
        if path == module or (_is_code(path) and not (alone and inner and top == "steps")):
            data = files[path].replace(b"\r\n", b"\n")  # git may have changed the ends of lines
            found.update(f"{path} {len(data)}\n".encode() + data)
    return found.hexdigest()


def _is_code(path: str) -> bool:
    return path.endswith(".py") and path not in GENERATED and path.partition("/")[0] not in NOT_CODE


def as_it_lies(pipeline: Pipeline, folder: Path) -> Pipeline:
    """Return the pipeline with another version for each step whose code is not as it was exported."""
    files = _read(folder)
    return replace(pipeline, steps=tuple(_now(step, pipeline.package, files) for step in pipeline.steps))


def _now(step: Step, package: str, files: Mapping[str, bytes]) -> Step:
    module = step.function.partition(":")[0].removeprefix(f"{package}.").replace(".", "/") + ".py"
    if module not in files:
        return step  # what cannot be read here cannot have been edited here
    found = source(module, package, files)
    return step if found == step.source else replace(step, version=f"{step.version}+{found}")


def _read(folder: Path) -> dict[str, bytes]:
    found = {}
    for parent, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name not in NOT_CODE]
        for path in (Path(parent, name) for name in names if name.endswith(".py")):
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
