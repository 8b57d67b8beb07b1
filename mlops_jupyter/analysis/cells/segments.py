"""Segments: a cell's text cut into plain Python, magics, shell lines and help requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.syntax.parsing import LINE_END, ParseError, parse
from mlops_jupyter.analysis.syntax.vocabulary import words


class SegmentKind(Enum):
    """The kinds of segments."""

    PYTHON = "python"
    LINE_MAGIC = "line magic"  # %time f(), x = %env HOME, and the autocall lines /f x  ,f x  ;f x
    CELL_MAGIC = "cell magic"  # %%bash with all that follows
    SHELL = "shell"  # !ls, !!ls, files = !ls
    HELP = "help"  # df?  ?df  df??


@dataclass(frozen=True)
class Segment:
    """Consecutive lines of one kind. The texts of a cell's segments, joined, are the cell.

    Attributes
    ----------
    text : as written, indentation and line ends included.
    name : the magic's name, "!" or "!!", the subject of a help request, "" for Python.
    line : 1-based line of the cell where the segment begins.
    assigned : the target left of the `=` in `x = %magic` and `x = !command`; None if there is none.
    rest : text after the name, lines continued with a backslash joined; of a cell magic, the rest of its first line.
    """

    kind: SegmentKind
    text: str
    name: str
    line: int
    assigned: str | None = None
    rest: str = ""


AUTOMAGIC = words(
    "pip conda mamba uv cd ls ll cat mkdir rmdir cp mv rm man more less pwd env who whos matplotlib run time"
)
"""Magics that a cell of one line may call without `%` if the line is not Python."""

_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\r\n]*)
    | (?P<string>\"{3}(?:\\(?:\r\n|.)|[^\\])*?\"{3} | '{3}(?:\\(?:\r\n|.)|[^\\])*?'{3}
        | "(?:\\(?:\r\n|.)|[^"\\\r\n])*" | '(?:\\(?:\r\n|.)|[^'\\\r\n])*')
    | (?P<plain>[\w.,;~]+(?:[ \t\f]+[\w.,;~]+)*)
    | (?P<open>[([{])
    | (?P<close>[)\]}])
    | (?P<joined>\\(?:\r\n|\r|\n))
    | (?P<newline>\r\n|\r|\n)
    | (?P<assign>=(?!=))
    | (?P<operator>[-+*/%@&|^<>=!:]{1,3}=)
    | (?P<space>[ \t\f]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SUSPECT = re.compile(r"(?:^|[\r\n])[ \t\f]*[%!?,;/]|\?[ \t]*(?:$|[\r\n])|=[ \t]*[%!]|get_ipython\(\)\.")
_ESCAPED = re.compile(r"[ \t\f]*(?:(?P<esc>!!|\?\??|[!%,;/])(?P<rest>.*))", re.DOTALL)
_RIGHT = re.compile(r"[ \t]*(?P<esc>!|%(?=[^\W\d]))")
_CALLED = re.compile(
    r"""
    [ \t\f]* (?:(?P<assigned>[^\W\d]\w*)[ \t]*=[ \t]*)?
    get_ipython\(\)\.(?:
        run_line_magic\( ["'](?P<name>\w+)["'] ,[ ]* (?P<q>["'])(?P<rest>[^"'\\\r\n]*)(?P=q) \)
        | (?(assigned)getoutput|(?:system|getoutput))\( (?P<s>["'])(?P<command>[^"'\\\r\n]+)(?P=s) \)
    )[ \t]*;?[ \t]*(?:\#[^\r\n]*)?(?:\r\n|\r|\n|\Z)
    """,
    re.VERBOSE,
)
"""IPython's translation of a magic or a shell line, which is the text of notebooks that were scripts once."""

_ASKED = re.compile(r"(%{0,2}(?!\d)[\w*]+(?:\.(?!\d)[\w*]+|\[-?[0-9]+\])*)\?\??$")
_END = re.compile(r"(?:\\(?:\r\n|\r|\n)|[^\r\n])*(?:\r\n|\r|\n|$)")
_JOIN = re.compile(r"[ \t]*\\(?:\r\n|\r|\n)")
_CELL = re.compile(r"[ \t]*%%(?!\w+\?)(?P<name>\S*)[ \t]*(?P<rest>[^\r\n]*)")
_BLANK = re.compile(r"(?:[ \t\f]*(?:\r\n|\r|\n))*")


def segments(body: str) -> tuple[Segment, ...]:
    """Return the segments of a cell's text, cut where Python ends and IPython's syntax begins.

    Examples
    --------
    >>> [(p.kind.value, p.name, p.text) for p in segments("a = (b\\n % c)\\n%time f()\\n")]
    [('python', '', 'a = (b\\n % c)\\n'), ('line magic', 'time', '%time f()\\n')]
    """
    if not _SUSPECT.search(body):
        return _all_python(body)
    blank = _BLANK.match(body)
    start = blank.end() if blank else 0
    cell = _CELL.match(body, start)
    if cell:
        magic = Segment(
            SegmentKind.CELL_MAGIC, body[start:], cell["name"], 1 + count_lines(body[:start]), rest=cell["rest"].strip()
        )
        return (*_python(body[:start], 1), magic)
    return tuple(_merged(body))


def count_lines(text: str) -> int:
    """Return how many line ends a text holds."""
    return len(LINE_END.findall(text))


def _all_python(body: str) -> tuple[Segment, ...]:
    first = re.match(r"\s*([a-z]+)[ \t]+\S[^\r\n]*\s*$", body)
    if first and first[1] in AUTOMAGIC:
        try:
            parse(body)
        except ParseError:
            rest = body.strip().partition(" ")[2].strip()
            return (Segment(SegmentKind.LINE_MAGIC, body, first[1], 1, rest=rest),)
    return _python(body, 1)


def _python(text: str, line: int) -> tuple[Segment, ...]:
    return (Segment(SegmentKind.PYTHON, text, "", line),) if text else ()


def _merged(body: str) -> Iterator[Segment]:
    """Yield the segments; consecutive logical lines of Python form one."""
    start = position = 0
    line = start_line = 1
    while position < len(body):
        segment = _logical(body, position, line)
        length = len(segment.text)
        if segment.kind is not SegmentKind.PYTHON:
            yield from _python(body[start:position], start_line)
            yield segment
            start = position + length
            start_line = line + count_lines(segment.text)
        line += count_lines(segment.text)
        position += length
    yield from _python(body[start:], start_line)


def _logical(body: str, start: int, line: int) -> Segment:
    """Return the logical line that begins at offset `start`."""
    escaped = _ESCAPED.match(body, start, _physical_end(body, start))
    if escaped:
        return _escaped(body[start : escaped.end()], escaped["esc"], escaped["rest"], line)
    if call := _CALLED.match(body, start):
        return _called(call, line)
    depth, assigned, last, end = 0, False, "", len(body)
    for token in _TOKEN.finditer(body, start):
        kind = token.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(depth - 1, 0)
        elif kind == "newline" and depth == 0:
            end = token.end()
            break
        elif kind == "assign" and depth == 0 and not assigned:
            assigned = True
            right = _RIGHT.match(body, token.end())
            if right and body[start : token.start()].strip():
                return _assignment(body, start, token.start(), right, line)
        if kind not in ("space", "joined", "newline"):
            last = token.group() if kind == "other" else ""
    text = body[start:end]
    if last == "?":
        request = _ASKED.search(text.rstrip())
        return Segment(SegmentKind.HELP, text, request[1] if request else "", line)
    return Segment(SegmentKind.PYTHON, text, "", line)


def _escaped(text: str, escape: str, rest: str, line: int) -> Segment:
    rest = _JOIN.sub(" ", rest).strip()
    if escape.startswith("?"):
        return Segment(SegmentKind.HELP, text, rest, line)
    request = _ASKED.search(escape + rest)
    if request:  # IPython looks for a help request first, even in a shell line
        return Segment(SegmentKind.HELP, text, request[1], line)
    if escape.startswith("!"):
        return Segment(SegmentKind.SHELL, text, escape, line, rest=rest)
    if escape != "%":
        return Segment(SegmentKind.LINE_MAGIC, text, escape, line, rest=rest)
    name, _, arguments = rest.partition(" ")
    return Segment(SegmentKind.LINE_MAGIC, text, name, line, rest=arguments.strip())


def _called(found: re.Match[str], line: int) -> Segment:
    assigned = found["assigned"]
    if found["command"]:
        return Segment(SegmentKind.SHELL, found[0], "!", line, assigned, found["command"].strip())
    return Segment(SegmentKind.LINE_MAGIC, found[0], found["name"], line, assigned, found["rest"].strip())


def _assignment(body: str, start: int, equals: int, right: re.Match[str], line: int) -> Segment:
    end = _physical_end(body, right.start())
    target = body[start:equals].strip()
    rest = _JOIN.sub(" ", body[right.end() : end]).strip()
    if right["esc"] == "!":
        return Segment(SegmentKind.SHELL, body[start:end], "!", line, target, rest)
    name, _, arguments = rest.partition(" ")
    return Segment(SegmentKind.LINE_MAGIC, body[start:end], name, line, target, arguments.strip())


def _physical_end(body: str, start: int) -> int:
    """Return the offset where the line at `start` ends; lines joined by backslashes count as one."""
    match = _END.match(body, start)
    return match.end() if match else len(body)
