"""The slice of a value: the code that made it, as a program that runs from the top in a clean process."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.cells.segments import SegmentKind, segments
from mlops_jupyter.analysis.facts.extract import NondeterminismKind, SourceFacts
from mlops_jupyter.analysis.slicing import SlicedCell, cut
from mlops_jupyter.analysis.syntax.parsing import LINE_END
from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.executions import Execution, ExecutionStatus
from mlops_jupyter.core.hidden_names import FILE, HIDDEN
from mlops_jupyter.services.pipeline.environment.local_modules import rewritten
from mlops_jupyter.services.pipeline.environment.requirements import top_modules
from mlops_jupyter.services.pipeline.magics import session_memory
from mlops_jupyter.services.pipeline.magics.translate import answers, indented, translate
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.ports import MagicCode, Magics, Recording
from mlops_jupyter.services.pipeline.select.cell_identity import in_file
from mlops_jupyter.services.pipeline.select.selection import where
from mlops_jupyter.services.pipeline.select.validation import (
    KEPT_BY_IPYTHON,
    check_private,
    check_seen,
    kept_by_ipython,
    made_by_none,
)

RUN_OFTEN = frozenset({"timeit", "prun", "lprun", "mprun", "memit"})
"""Magics that run their code an unknown number of times, and that a slice leaves out."""

FUTURE = "from __future__"

LISTED = (ast.Name, ast.Constant, ast.Dict, ast.Tuple, ast.List, ast.keyword, ast.expr_context)
"""Node types of a magic's arguments where these only name values."""


@dataclass(frozen=True, repr=False)
class Slice:
    """The program that makes the present value of a name.

    Attributes
    ----------
    text : the program. It gives the value when it runs from the top in a clean process, in the notebook's folder.
    executions : positions in the history, in the order in which they ran.
    starts : hidden variables that the program reads as they were before the notebook's first cell: random states that
        no cell seeded, data files.
    causes : descriptions of what may make the value differ elsewhere: a clock that is read, an order that is not fixed.
    """

    name: str
    text: str
    executions: tuple[int, ...]
    starts: tuple[str, ...]
    causes: tuple[str, ...]

    def __repr__(self) -> str:
        return self.text


def slice_of(recording: Recording, name: str, magics: Magics) -> Slice:
    """Return the smallest part of the history that makes the present value of a name.

    Raises
    ------
    NotFoundError
        If no cell made the name, or it has been deleted.
    UserError
        If the value was made before recording began, or by something that plain Python cannot repeat.
    """
    history = recording.history
    cells = in_file(history, recording.cells)
    check_seen(history, cells)
    _check_made(recording, name)
    texts = _Texts(history, cells, magics)
    kept = cut(history, texts.text, name)
    check_private(history, [sliced.position for sliced in kept], cells)
    for sliced in kept:
        _check(sliced, texts, recording)
    starts, causes = _starts(kept), _causes(kept, texts)
    imports = "".join(f"{line}\n" for line in texts.imports(kept))
    head = (*_head(name, kept, history, starts), *(f"# May come out otherwise: {cause}." for cause in causes))
    chunks = ("\n".join(head) + "\n", imports, *(_chunk(sliced, texts) for sliced in kept))
    return Slice(name, "\n".join(filter(None, chunks)), tuple(sliced.position for sliced in kept), starts, causes)


class _Texts:
    """Executions as plain Python, each translated on first use."""

    def __init__(self, history: Sequence[Execution], cells: Sequence[CodeCell | None], magics: Magics) -> None:
        self.history, self.cells, self.magics = history, cells, magics
        self._done: dict[int, Translation] = {}

    def translation(self, position: int) -> Translation:
        """Return the translation of an execution."""
        if position not in self._done:
            execution = replace(self.history[position], displays_result=False)
            site = CellContext(
                execution,
                where(position, self.cells),
                previous_folder=session_memory.previous_folder(self.history, position),
                capture_is_read=session_memory.is_capture_read(self.history, position),
            )
            self._done[position] = translate(_Untracked(self.magics), site)
        return self._done[position]

    def text(self, position: int) -> str:
        """Return an execution as plain Python, after assignments of the parameters that it declares."""
        declared = self.magics.declared(self.history[position]).parameters
        assignments = "".join(f"{name} = {value!r}\n" for name, value in declared.items())
        return assignments + self.translation(position).text

    def imports(self, kept: Iterable[SlicedCell]) -> list[str]:
        """Return the import statements that the translations of kept executions need."""
        lines: dict[str, None] = {}
        for sliced in kept:
            translation = self.translation(sliced.position)
            lines |= dict.fromkeys(translation.imports)
            if sliced.facts.awaits:
                lines["import asyncio"] = None
            lines |= {text: None for text in sliced.facts.imports.values() if text.startswith(FUTURE)}
            for use in translation.runtime:
                module, function = use.split(":")
                source = "IPython.display" if module == "step.display" else f"mlops_jupyter.runtime.{module}"
                lines[f"from {source} import {function}"] = None
        return sorted(lines, key=lambda line: (not line.startswith(FUTURE), line))


class _Untracked:
    """Our own magics without their tracking: a slice makes a value, not a run."""

    def __init__(self, magics: Magics) -> None:
        self._magics, self.declared = magics, magics.declared

    def line(self, magic: str, line: str) -> MagicCode | None:
        """Leave out a logging call whose arguments only name values; other arguments may have side effects."""
        code = self._magics.line(magic, line)
        if code is not None and code.text.startswith("log_"):
            call = ast.parse(code.text, mode="eval").body
            inner = [node for child in ast.iter_child_nodes(call) for node in ast.walk(child)]
            if all(isinstance(node, LISTED) for node in inner):
                return MagicCode("None")
        return code

    def around(self, execution: Execution) -> tuple[MagicCode, MagicCode]:
        """Put no code around the body of a cell with a `%%track` header."""
        return MagicCode(""), MagicCode("")


def _check_made(recording: Recording, name: str) -> None:
    written = {n for e in recording.history for n in e.writes if not n.startswith((HIDDEN, "_"))}
    if name in recording.namespace and name in written:
        return
    if name in written:
        raise NotFoundError(f"{name!r} has been deleted: `%pipeline history {name}` shows what made it")
    known = ", ".join(sorted(written)[:12]) + (" …" if len(written) > 12 else "")
    raise NotFoundError(f"no cell made {name!r}: the notebook has {known or 'no variables'}")


def _check(each: SlicedCell, texts: _Texts, recording: Recording) -> None:
    """Refuse an execution that a program in plain Python would not repeat."""
    execution = texts.history[each.position]
    place = where(each.position, texts.cells)
    if execution.status is ExecutionStatus.INTERRUPTED:
        raise UserError(f"{place} was interrupted half way: run it to its end, then ask again")
    if execution.error and any(piece.kind is not SegmentKind.PYTHON for piece in segments(execution.body)):
        raise UserError(f"{place} holds a magic and failed ({execution.error}): run it again without a fault")
    if execution.error and not _compiles(texts.text(each.position)):
        raise UserError(f"{place} failed half way ({execution.error}): mend it and run it again, then ask again")
    if texts.translation(each.position).scripts:
        raise UserError(f"{place} runs a file with %run: export the notebook, the bundle carries the file")
    if answers(execution, texts.magics) & each.names:
        raise UserError(f"{place} keeps what a magic of this notebook showed; a program has no notebook")
    often = [piece.name for piece in segments(execution.body) if piece.name in RUN_OFTEN]
    if often and (execution.mutated or any(name.startswith(HIDDEN) for name in execution.writes)):
        raise UserError(f"{place} changes values in %{often[0]}, which runs as often as it likes: take them out of it")
    for name, maker in each.takes.items():
        if maker is None and not name.startswith(HIDDEN):
            raise made_by_none(place, name, recording.before)
        if maker is None and name.startswith(FILE):
            changed = next((p for p, e in enumerate(texts.history) if name in e.writes), None)
            if changed is not None:
                raise UserError(
                    f"{place} uses the file {name.removeprefix(FILE)!r} as it was before "
                    f"{where(changed, texts.cells)} changed it: keep what was there under another name"
                )
    for name in sorted(each.facts.reads - each.facts.writes):
        if KEPT_BY_IPYTHON(name):
            raise kept_by_ipython(place, name)


def _starts(kept: Sequence[SlicedCell]) -> tuple[str, ...]:
    return tuple(sorted({n for k in kept for n, maker in k.takes.items() if maker is None and n.startswith(HIDDEN)}))


def _head(name: str, kept: Sequence[SlicedCell], history: Sequence[Execution], starts: Sequence[str]) -> list[str]:
    lines = [f"# What made {name!r}: {len(kept)} of {len(history)} executions, in the order in which they ran."]
    states = [n.removeprefix(HIDDEN) for n in starts if not n.startswith(FILE)]
    files = [n.removeprefix(FILE) for n in starts if n.startswith(FILE)]
    if states:
        lines.append(f"# Nothing here seeds {', '.join(states)}: the value needs the random state of that session.")
    if files:
        lines.append(f"# Reads {', '.join(files)}, from the notebook's folder.")
    return lines


def _causes(kept: Sequence[SlicedCell], texts: _Texts) -> tuple[str, ...]:
    """Describe what may differ in another process, but for unseeded random states, which `_head` describes."""
    sets = frozenset().union(*(sliced.facts.sets for sliced in kept))
    descriptions: dict[str, None] = {}
    for sliced in kept:
        spans = [sliced.facts.statements[number].span for number in sliced.statements]
        for cause in sliced.facts.causes_with(sets):
            if cause.kind is not NondeterminismKind.UNSEEDED and any(s.line <= cause.line <= s.end_line for s in spans):
                descriptions[f"`{cause.text}` in {where(sliced.position, texts.cells)} {cause.kind.value}"] = None
    modules = top_modules("\n".join(text for sliced in kept for text in sliced.facts.imports.values()))
    rewritten_files = (path.name for paths in rewritten(modules, texts.history).values() for path in paths)
    descriptions |= dict.fromkeys(f"{name} was written again after it had been imported" for name in rewritten_files)
    return tuple(descriptions)


def _chunk(each: SlicedCell, texts: _Texts) -> str:
    """Return the kept statements of one execution under a comment that names it."""
    execution, text = texts.history[each.position], texts.text(each.position)
    number = f"In [{execution.count}]" if execution.count else f"execution {each.position + 1}"
    cell = where(each.position, texts.cells) if any(texts.cells) else ""
    body = selected(text, each.facts, [n for n in each.statements if not _of_the_future(each.facts, n)])
    title = f"# {number}" + (f": {cell}" if cell else "") + "\n"
    if each.facts.awaits:
        names = ", ".join(sorted(each.facts.writes))
        body = (
            f"async def cell():\n{indented(f'global {names}' + chr(10) + body if names else body)}asyncio.run(cell())\n"
        )
    if execution.status is not ExecutionStatus.OK:
        body = _failing(body, execution.error)
    return title + body


def _of_the_future(found: SourceFacts, number: int) -> bool:
    """Say whether a statement is a `from __future__` import, which may stand only at the top of a program."""
    return any(found.imports.get(name, "").startswith(FUTURE) for name in found.statements[number].writes)


def selected(text: str, found: SourceFacts, numbers: Sequence[int]) -> str:
    """Return the top-level statements of a text with these numbers, each with the comments right above it."""
    if len(numbers) == len(found.statements):
        return text.strip("\n") + "\n"
    lines, result = LINE_END.split(text), []
    for number in numbers:
        span = found.statements[number].span
        others = [s.span for n, s in enumerate(found.statements) if n != number]
        if all(neighbour.end_line < span.line or neighbour.line > span.end_line for neighbour in others):
            result += lines[span.comment_line - 1 : span.end_line]
        else:
            part = lines[span.line - 1 : span.end_line]
            part[-1] = part[-1][: span.end_column]
            part[0] = part[0][span.column :]
            result += part
    return "\n".join(result) + "\n"


def _compiles(text: str) -> bool:
    """Say whether a whole cell compiles. IPython runs a cell statement by statement until one does not."""
    try:
        compile(text, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return False
    return True


def _failing(body: str, error: str) -> str:
    """Let a cell fail as in the notebook: what it changed until then is part of the value."""
    if not ast.parse(body).body:
        return body
    error_name = error.partition(":")[0]
    builtin = getattr(builtins, error_name, None)
    kind = error_name if isinstance(builtin, type) and issubclass(builtin, BaseException) else "Exception"
    return (
        f"try:\n{indented(body)}except {kind}:  # as in the notebook\n    pass\n"
        "else:\n    raise AssertionError('this cell failed in the notebook')\n"
    )
