"""Translate a cell into plain Python: our own magics by their meaning, IPython's by rules; refuse any other by name."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace

from mlops_jupyter.analysis.cells import Segment, SegmentKind, segments
from mlops_jupyter.analysis.facts.extract import StatementKind, extract_facts
from mlops_jupyter.analysis.syntax.parsing import LINE_END, lines_of
from mlops_jupyter.core.executions import Execution, ExecutionStatus
from mlops_jupyter.services.pipeline.magics import run_scripts, shell_rules
from mlops_jupyter.services.pipeline.magics.magic_rules import CELLS, KEEPS_BODY, LINES
from mlops_jupyter.services.pipeline.magics.session_memory import captured_name
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.magics.unknown_magics import unknown
from mlops_jupyter.services.pipeline.ports import MagicCode, Magics

MAY_SPAN_LINES = re.compile(r"\"\"\"|'''|\\[\r\n]").search
"""Search a text for a string that may span lines: in triple quotes, or continued with a backslash."""


def translate(magics: Magics, site: CellContext) -> Translation:
    """Translate one executed cell into plain Python.

    Raises
    ------
    UserError
        If a magic has no meaning outside IPython: one line names its cell and line.
    """
    translation = Translation()
    before, after = magics.around(site.execution)
    translation.add(before)
    _pieces(site.execution.body, translation, magics, site)
    if site.execution.displays_result:
        _show_last(translation)
    if site.execution.error and site.execution.status is ExecutionStatus.OK:  # it was allowed to raise
        _go_on(translation, site.execution)
    translation.add(after)
    if site.metrics:
        values = ", ".join(f"{name}={name}" for name in site.metrics)
        translation.add(MagicCode(f"log_metrics({values})", ("tracking:log_metrics",)))
    if re.search(r"(?<![\w.])display\(", "\n".join(translation.lines)) and "display" not in site.execution.reads:
        translation.runtime = (*translation.runtime, "step.display:display")
    translation.text = "\n".join(line.rstrip("\n") for line in translation.lines) + "\n"
    return translation


def _show_last(done: Translation) -> None:
    """Wrap the last expression in `display(...)`, as a notebook shows its value by itself."""
    text = "\n".join(line.rstrip("\n") for line in done.lines)
    statements = extract_facts(text).statements
    if not statements or statements[-1].kind is not StatementKind.EXPRESSION:
        return
    span, lines = statements[-1].span, lines_of(text)
    first, last = lines[span.line - 1], lines[span.end_line - 1]
    if re.match(r"(display|print)\(|plt\.", first[span.column :]) or last[span.end_column :].lstrip().startswith(";"):
        return
    lines[span.end_line - 1] = f"{last[: span.end_column]}){last[span.end_column :]}"
    first = lines[span.line - 1]
    lines[span.line - 1] = f"{first[: span.column]}display({first[span.column :]}"
    done.lines = ["\n".join(lines)]


def _go_on(done: Translation, execution: Execution) -> None:
    """Let a cell that raised, and was allowed to, print an exception and go on after it, as a notebook does.

    Imports and definitions that it began with stay outside the block: they travel as code.
    """
    first, lines = _after_definitions(done.lines, execution)
    faults = "(Exception, SystemExit)" if execution.error.startswith("SystemExit") else "Exception"
    block = indented("\n".join(lines[first:]).strip("\n"))
    caught = f"except {faults}:  # the notebook went on after {_one_line(execution.error)}"
    done.need("import traceback")
    done.lines = [*lines[:first], "try:", block, caught, "    traceback.print_exc(limit=0)"]


def _after_definitions(written: Sequence[str], execution: Execution) -> tuple[int, list[str]]:
    """Return how many lines hold the imports and definitions with which a cell begins, and all its lines."""
    text = "\n".join(line.rstrip("\n") for line in written)
    first = 0
    for statement in extract_facts(text).statements:
        if statement.kind not in (StatementKind.IMPORT, StatementKind.DEFINITION):
            break
        if not statement.writes <= execution.writes.keys():
            break  # it raised
        first = statement.span.end_line
    return first, lines_of(text)


def _one_line(error: str) -> str:
    return " ".join(error.split())[:60]


def answers(execution: Execution, magics: Magics) -> frozenset[str]:
    """Return the names that a cell binds to display-only results of our own magics (`table = %pipeline`)."""
    return frozenset(
        piece.assigned
        for piece in segments(execution.body)
        if piece.kind is SegmentKind.LINE_MAGIC and piece.assigned and _only_shows(piece, magics)
    )


def _only_shows(piece: Segment, magics: Magics) -> bool:
    try:
        return magics.line(piece.name, piece.rest) is None
    except KeyError:
        return False


def _pieces(body: str, done: Translation, magics: Magics, site: CellContext) -> None:
    for piece in segments(body):
        if piece.kind is SegmentKind.PYTHON:
            done.add(MagicCode(piece.text))
            continue
        before = len(done.lines)
        _special(piece, done, magics, site)
        margin = re.match(r"[ \t]*", piece.text)[0]  # type: ignore[index]
        if margin:  # the magic stands in a block, which must keep a statement
            done.lines[before:] = [textwrap.indent(line, margin) for line in done.lines[before:] or ["pass"]]


def _special(piece: Segment, done: Translation, magics: Magics, site: CellContext) -> None:
    if piece.kind is SegmentKind.SHELL:
        shell_rules.line(piece, done, site)
    elif piece.kind is SegmentKind.CELL_MAGIC:
        _cell_magic(piece, done, magics, site)
    elif piece.kind is SegmentKind.LINE_MAGIC:
        _line_magic(piece, done, magics, site)


def _line_magic(piece: Segment, done: Translation, magics: Magics, site: CellContext) -> None:
    try:
        code = magics.line(piece.name, piece.rest)
    except KeyError:
        texts = run_scripts.inlined(piece, done, site) if piece.name == "run" else None
        if texts is None:
            LINES.get(piece.name, unknown)(piece, done, site)
        for text in texts or ():
            inside = replace(site.execution, body=text)
            _pieces(text, done, magics, replace(site, execution=inside, where=f"{site.where}, {piece.rest}"))
        return
    if code is not None:
        done.add(MagicCode(f"{piece.assigned} = {code.text}", code.imports) if piece.assigned else code)


def _cell_magic(piece: Segment, done: Translation, magics: Magics, site: CellContext) -> None:
    if piece.name not in KEEPS_BODY:
        CELLS.get(piece.name, unknown)(piece, done, site)
        return
    before = len(done.lines)
    _pieces(shell_rules.body(piece), done, magics, site)
    name = captured_name(piece)
    if name and site.capture_is_read and "-" not in piece.rest:
        first, lines = _after_definitions(done.lines[before:], site.execution)
        block = indented("\n".join(lines[first:]).strip("\n") or "pass")
        done.lines[before:] = [*lines[:first], f"with captured() as {name}:", block]
        done.runtime = tuple(dict.fromkeys((*done.runtime, "step.captured:captured")))
    elif name:
        done.lose(name, "holds what %%capture kept of the cell: print or return it instead")


def indented(text: str, by: str = "    ") -> str:
    """Indent code by one level, leaving the insides of multi-line strings as they are."""
    # Reading all tokens would take a tenth of an export's time.
    inside = _inside_strings(text) if MAY_SPAN_LINES(text) else ()
    lines = LINE_END.split(text)
    return "\n".join(
        by + line if line.strip() and number not in inside else line for number, line in enumerate(lines, start=1)
    )


def _inside_strings(text: str) -> set[int]:
    """Return the numbers of the lines that begin within a string."""
    import io
    import tokenize

    inside: set[int] = set()
    opened: list[int] = []  # from Python 3.12 on an f-string is many tokens
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            opened.append(token.start[0])
        elif kind in ("STRING", "FSTRING_END"):
            first = token.start[0] if kind == "STRING" else opened.pop()
            inside.update(range(first + 1, token.end[0] + 1))
    return inside
