"""The tree of files that a bundle's steps see: where the notebook's folder stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.core.plan import PlanStep
from mlops_jupyter.runtime.hidden.process import project_root

UP = re.compile(r"""["'](\.\.(?:/\.\.)*)(?=["'/])""")
"""A path in a text that leads up."""

PARENTS = re.compile(r"\b(?:cwd|resolve|absolute|Path)\(\)((?:\.parent\b(?!s))+)")
NUMBERED = re.compile(r"\bparents\[(\d)\]")
WHERE = re.compile(r"\b(?:cwd|getcwd|chdir|abspath|resolve)\(")
"""What asks where it is: the name of the working directory may decide what it does."""


def notebook_folder(steps: Iterable[PlanStep], modules: Iterable[str], folder: Path) -> str:
    """Return the notebook's folder as seen from the root of the tree: the folder above all that the steps look for.

    It is "" where they look for nothing outside of the notebook's folder, which is the root then.

    Parameters
    ----------
    modules : folders of local modules that look for files beside their own, seen from the notebook's folder.
    folder : the notebook's folder.
    """
    most = len(folder.relative_to(project_root(folder)).parts)
    wanted = [place.split("/").count("..") for place in modules]
    levels = min(max((*wanted, *(level for step in steps for level in _levels(step))), default=0), most)
    return "/".join(folder.parts[-levels:]) if levels else ""


def _levels(step: PlanStep) -> Iterator[int]:
    """Yield how many folders a step goes up, for each file that it uses and each path that its text names."""
    made = (name for group in step.outputs for name in group)
    for name in (name for name in (*step.inputs, *made) if name.startswith(FILE)):
        yield PurePosixPath(name.removeprefix(FILE)).parts.count("..")
    yield from (up.count("..") for up in UP.findall(step.module))
    yield from (parents.count("parent") for parents in PARENTS.findall(step.module))
    yield from (int(number) + 1 for number in NUMBERED.findall(step.module))
    if WHERE.search(step.module):
        yield 1
