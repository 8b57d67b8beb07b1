"""Which outputs of a step are stored, and under which file names."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ..hidden.names import FILE
from ..model.pipeline import Pipeline, Step


def kept_groups(pipeline: Pipeline, step: Step) -> tuple[tuple[str, ...], ...]:
    """Return the groups that are stored exactly: those that another step takes, and those not delivered entirely.

    A group that is only delivered is stored once, in open formats.
    """
    taken = {name for taker in pipeline.steps for name, maker in taker.inputs.items() if maker == step.name}
    delivered = set(pipeline.delivered(step.name))
    return tuple(g for g in step.outputs if taken.intersection(g) or not delivered.issuperset(g))


def file_name(pipeline: Pipeline, name: str) -> str:
    """Return a file name for a delivered variable, without suffix; unique also on file systems that ignore case."""
    bare = PurePosixPath(name.removeprefix(FILE)).name if name.startswith(FILE) else name
    safe = re.sub(r"[^\w.-]", "_", bare)
    names = list(pipeline.outputs)
    twins = [twin for twin in names[: names.index(name)] if twin.casefold() == name.casefold()]
    return f"{safe}-{len(twins) + 1}" if twins else safe
