"""Which of a step's values are kept, and under which names."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ..model.pipeline import FILE, Pipeline, Step


def kept_groups(pipeline: Pipeline, step: Step) -> tuple[tuple[str, ...], ...]:
    """Return the groups that are saved exactly: hidden ones, those that a step takes, and those not delivered.

    A value that is only delivered is saved once, in its open format.
    """
    taken = {name for other in pipeline.steps for name, maker in other.inputs.items() if maker == step.name}
    delivered = set(pipeline.delivered(step.name))
    return tuple(g for g in step.outputs if taken.intersection(g) or not delivered.issuperset(g))


def file_name(pipeline: Pipeline, name: str) -> str:
    """Return a file name for a delivered variable, without suffix; unique where upper and lower case are one."""
    bare = PurePosixPath(name.removeprefix(FILE)).name if name.startswith(FILE) else name
    safe = re.sub(r"[^\w.-]", "_", bare)
    names = list(pipeline.outputs)
    twins = [one for one in names[: names.index(name)] if one.casefold() == name.casefold()]
    return f"{safe}-{len(twins) + 1}" if twins else safe
