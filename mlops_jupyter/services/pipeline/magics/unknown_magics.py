"""Unknown magics, neither ours nor IPython's: refuse them by name, or keep them with IPython (`--allow-ipython`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_jupyter.analysis.cells import Segment, SegmentKind, segments, to_python
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.core.executions import Execution, ExecutionStatus
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.ports import MagicCode

OURS_OR_IDLE = frozenset({"mlops_jupyter", "autoreload", "storemagic"})
"""Extensions whose magics have rules, or need none."""


def unknown(piece: Segment, done: Translation, site: CellContext) -> None:
    """Refuse an unknown magic, or translate it to a call that lets IPython run it in the step."""
    if not site.allow_ipython:
        raise site.refuse(
            piece, "has no meaning outside IPython; write it in Python, take it out, or export with --allow-ipython"
        )
    body = extract_facts(to_python(site.execution.body))
    code = piece.text if piece.kind is SegmentKind.CELL_MAGIC else piece.rest
    readable = site.execution.reads | (body.writes - {piece.assigned})
    inputs = sorted(set(re.findall(r"[^\W\d]\w*", code)) & readable)
    bound = sorted(
        name
        for name in site.execution.writes.keys() - body.writes - site.execution.mutated
        if name.isidentifier() and name != piece.assigned
    )
    text = piece.text.strip() if piece.kind is SegmentKind.CELL_MAGIC else f"%{piece.name} {piece.rest}".strip()
    arguments = [repr(text), f"{{{', '.join(f'{name!r}: {name}' for name in inputs)}}}"]
    if bound:
        arguments.append(f"gives={bound!r}")
    if site.extensions:
        arguments.append(f"extensions={list(site.extensions)!r}")
    call = f"in_ipython({', '.join(arguments)})"
    done.bind(", ".join([piece.assigned or "_", *bound]) if bound else piece.assigned, call if bound else f"{call}[0]")
    done.add(MagicCode("", ("step.ipython:in_ipython",)))
    done.modules = (*done.modules, "IPython", *(name.split(".")[0] for name in site.extensions))


def extensions(history: Iterable[Execution]) -> tuple[str, ...]:
    """Return the modules that `%load_ext` loaded, in order."""
    return tuple(
        dict.fromkeys(name for each in history if each.status is ExecutionStatus.OK for name in _loaded(each.body))
    )


def _loaded(body: str) -> Iterator[str]:
    for piece in segments(body) if "_ext" in body else ():
        name = piece.rest.strip()
        if piece.name in ("load_ext", "reload_ext") and name.split(".")[0] not in OURS_OR_IDLE:
            yield name
