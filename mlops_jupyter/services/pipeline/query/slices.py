"""The code that made a value: a slice of the history, as a program that runs from the top in a clean process."""

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
from mlops_jupyter.core.plan import HIDDEN
from mlops_jupyter.runtime.hidden.registry import FILE
from mlops_jupyter.services.pipeline.environment.local_modules import rewritten
from mlops_jupyter.services.pipeline.environment.requirements import top_modules
from mlops_jupyter.services.pipeline.magics.translate import answers, indented, translate
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.ports import MagicCode, Magics, Recording
from mlops_jupyter.services.pipeline.select.cell_identity import in_file
from mlops_jupyter.services.pipeline.select.selection import where
from mlops_jupyter.services.pipeline.select.validation import KEPT_BY_IPYTHON, check_seen, kept_by_ipython, made_by_none

RUN_OFTEN = frozenset({"timeit", "prun", "lprun", "mprun", "memit"})
"""Magics that run code as often as they like, and that plain Python leaves out."""

FUTURE = "from __future__"

LISTED = (ast.Name, ast.Constant, ast.Dict, ast.Tuple, ast.List, ast.keyword, ast.expr_context)
"""What a magic's arguments are made of where they only name values."""


@dataclass(frozen=True, repr=False)
class Slice:
    """What made the value that a name has now.

    Attributes
    ----------
    text : the program. From the top in a clean process, in the notebook's folder, it gives the value.
    executions : positions in the history, in the order in which they ran.
    starts : hidden variables that it finds as they were before the notebook's first cell: random states that no cell
        seeded, data files.
    causes : what may give it another value elsewhere, in words: a clock that it reads, an order that is not fixed.
    """

    name: str
    text: str
    executions: tuple[int, ...]
    starts: tuple[str, ...]
    causes: tuple[str, ...]

    def __repr__(self) -> str:
        return self.text


def slice_of(recording: Recording, name: str, magics: Magics) -> Slice:
    """Return the smallest part of the history that made the value that a name has now.

    Raises
    ------
    UserError
        A name that no cell made; a value made before recording began, or by what plain Python cannot repeat.
    """
    history = recording.history
    cells = in_file(history, recording.cells)
    check_seen(history, cells)
    _check_made(recording, name)
    texts = _Texts(history, cells, magics)
    kept = cut(history, texts.text, name)
    for each in kept:
        _check(each, texts, recording)
    starts, causes = _starts(kept), _causes(kept, texts)
    imports = "".join(f"{line}\n" for line in texts.imports(kept))
    head = (*_head(name, kept, history, starts), *(f"# May come out otherwise: {cause}." for cause in causes))
    chunks = ("\n".join(head) + "\n", imports, *(_chunk(each, texts) for each in kept))
    return Slice(name, "\n".join(filter(None, chunks)), tuple(each.position for each in kept), starts, causes)


class _Texts:
    """Executions as plain Python, each translated when it is asked for."""

    def __init__(self, history: Sequence[Execution], cells: Sequence[CodeCell | None], magics: Magics) -> None:
        self.history, self.cells, self.magics = history, cells, magics
        self._done: dict[int, Translation] = {}

    def translation(self, position: int) -> Translation:
        if position not in self._done:
            execution = replace(self.history[position], displays_result=False)
            self._done[position] = translate(
                _Untracked(self.magics), CellContext(execution, where(position, self.cells))
            )
        return self._done[position]

    def text(self, position: int) -> str:
        declared = self.magics.declared(self.history[position]).parameters
        given = "".join(f"{name} = {value!r}\n" for name, value in declared.items())
        return given + self.translation(position).text

    def imports(self, kept: Iterable[SlicedCell]) -> list[str]:
        """What the translation of kept executions relies on."""
        found: dict[str, None] = {}
        for each in kept:
            done = self.translation(each.position)
            found |= dict.fromkeys(done.imports)
            if each.facts.awaits:
                found["import asyncio"] = None
            found |= {text: None for text in each.facts.imports.values() if text.startswith(FUTURE)}
            for use in done.runtime:
                module, function = use.split(":")
                source = "IPython.display" if module == "step.display" else f"mlops_jupyter.runtime.{module}"
                found[f"from {source} import {function}"] = None
        return sorted(found, key=lambda line: (not line.startswith(FUTURE), line))


class _Untracked:
    """Our magics without what they track: a slice is of a value, not of a run."""

    def __init__(self, magics: Magics) -> None:
        self._magics, self.declared = magics, magics.declared

    def line(self, magic: str, line: str) -> MagicCode | None:
        """What logs names alone does nothing here; what it computes to log, it may change something with."""
        code = self._magics.line(magic, line)
        if code is not None and code.text.startswith("log_"):
            call = ast.parse(code.text, mode="eval").body
            inner = [node for child in ast.iter_child_nodes(call) for node in ast.walk(child)]
            if all(isinstance(node, LISTED) for node in inner):
                return MagicCode("None")
        return code

    def around(self, execution: Execution) -> tuple[MagicCode, MagicCode]:
        return MagicCode(""), MagicCode("")


def _check_made(recording: Recording, name: str) -> None:
    made = {n for e in recording.history for n in e.writes if not n.startswith((HIDDEN, "_"))}
    if name in recording.namespace and name in made:
        return
    if name in made:
        raise NotFoundError(f"{name!r} has been deleted: `%pipeline history {name}` shows what made it")
    known = ", ".join(sorted(made)[:12]) + (" …" if len(made) > 12 else "")
    raise NotFoundError(f"no cell made {name!r}: the notebook has {known or 'no variables'}")


def _check(each: SlicedCell, texts: _Texts, recording: Recording) -> None:
    """Refuse what plain Python from the top would not repeat."""
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
        changed = [p for p, e in enumerate(texts.history) if name in e.writes]
        if maker is None and name.startswith(FILE) and changed:
            raise UserError(
                f"{place} uses the file {name.removeprefix(FILE)!r} as it was before "
                f"{where(changed[0], texts.cells)} changed it: keep what was there under another name"
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
    """What may differ in another process. Random states do not: where nothing seeds one, the slice starts from it."""
    sets = frozenset().union(*(each.facts.sets for each in kept))
    found: dict[str, None] = {}
    for each in kept:
        spans = [each.facts.statements[number].span for number in each.statements]
        for cause in each.facts.causes_with(sets):
            if cause.kind is not NondeterminismKind.UNSEEDED and any(s.line <= cause.line <= s.end_line for s in spans):
                found[f"`{cause.text}` in {where(each.position, texts.cells)} {cause.kind.value}"] = None
    modules = top_modules("\n".join(text for each in kept for text in each.facts.imports.values()))
    again = (path.name for paths in rewritten(modules, texts.history).values() for path in paths)
    found |= dict.fromkeys(f"{name} was written again after it had been imported" for name in again)
    return tuple(found)


def _chunk(each: SlicedCell, texts: _Texts) -> str:
    """One execution: a comment that says which, and what is kept of it."""
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
    """Whether a statement is an import that may stand at the top of a program only."""
    return any(found.imports.get(name, "").startswith(FUTURE) for name in found.statements[number].writes)


def selected(text: str, found: SourceFacts, numbers: Sequence[int]) -> str:
    """Return some of the top-level statements of a text, each with the comments right above it."""
    if len(numbers) == len(found.statements):
        return text.strip("\n") + "\n"
    lines, taken = LINE_END.split(text), []
    for number in numbers:
        span = found.statements[number].span
        others = [s.span for n, s in enumerate(found.statements) if n != number]
        if all(other.end_line < span.line or other.line > span.end_line for other in others):
            taken += lines[span.comment_line - 1 : span.end_line]
        else:
            own = lines[span.line - 1 : span.end_line]
            own[-1] = own[-1][: span.end_column]
            own[0] = own[0][span.column :]
            taken += own
    return "\n".join(taken) + "\n"


def _compiles(text: str) -> bool:
    """Whether a whole cell compiles. IPython runs statement by statement, as far as they do."""
    try:
        compile(text, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return False
    return True


def _failing(body: str, error: str) -> str:
    """Let a cell fail as it did; what it changed until then is part of the value."""
    if not ast.parse(body).body:
        return body
    named = error.partition(":")[0]
    known = getattr(builtins, named, None)
    kind = named if isinstance(known, type) and issubclass(known, BaseException) else "Exception"
    return (
        f"try:\n{indented(body)}except {kind}:  # as in the notebook\n    pass\n"
        "else:\n    raise AssertionError('this cell failed in the notebook')\n"
    )
