"""Translate magics and shell lines to Python that reads and binds the same names. For analysis: it is never run."""

from __future__ import annotations

import re
from collections.abc import Callable

from mlops_jupyter.analysis.cells.interpolation import arguments_read, interpolated, is_expression, parses
from mlops_jupyter.analysis.cells.segments import Segment, SegmentKind, segments
from mlops_jupyter.analysis.facts.names_in_strings import MAGIC
from mlops_jupyter.analysis.facts.uncertain_calls import HARMLESS
from mlops_jupyter.analysis.syntax.parsing import LINE_END
from mlops_jupyter.analysis.syntax.vocabulary import words

RUNS_HERE = words("time prun lprun mprun debug capture track pipeline snakeviz scalene heat notify")
"""Magics whose code runs in the notebook's namespace."""
RUNS_ITS_LINE = RUNS_HERE - words("capture track pipeline heat notify")
"""Those of `RUNS_HERE` that also run code on their own line."""
RUNS_APART = words("timeit memit")
"""Magics whose code reads the notebook's namespace and binds names in its own."""
AUTOCALLS = {"/", ",", ";"}
"""First characters of lines that IPython turns into a call."""
OURS = words("track register drift")
"""Our own line magics, whose arguments are expressions over the notebook's variables."""

_VALUED = {"timeit": "nrp", "prun": "lsTD", "lprun": "fmTDus", "mprun": "fT", "memit": "rt", "debug": "b"}
_OPTION = re.compile(r"--?([A-Za-z])([\w-]*)(?:\s+|$)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_INDENT = re.compile(r"[ \t\f]*")
_RESULT = re.compile(r"([^\W\d]\w*)\s*<<")
_OUTPUTS = re.compile(r"--(?:out|err|proc)\s+([^\W\d]\w*)")


def to_python(body: str) -> str:
    """Return text with the same lines, in which magics are calls that read and bind the same names.

    Code that a magic runs stays (`%time`, `%%time`, `%%capture`, `%%prun`); `%timeit` binds its names elsewhere.
    `x = !ls` becomes `x = __magic__("!")`, other lines `pass`. Variables in a shell line (`{path}`, `$path`) are read.

    Examples
    --------
    >>> to_python("files = !ls {folder}")
    'files = __magic__("!", folder)'
    """
    parts = segments(_dedented(body))
    if len(parts) == 1 and parts[0].kind is SegmentKind.PYTHON:
        return parts[0].text
    return "".join(part.text if part.kind is SegmentKind.PYTHON else _TRANSLATORS[part.kind](part) for part in parts)


def _dedented(body: str) -> str:
    """Remove the first line's indentation from all lines, as IPython does with pasted text."""
    first = re.match(r"(?:[ \t\f]*(?:\r\n|\r|\n))*([ \t]+)(?=\S)", body)
    return re.sub(rf"(?m)^{first[1]}", "", body) if first else body


def _line_magic(piece: Segment) -> str:
    return _replaced(piece, _assigned(piece) if piece.assigned else _statement(piece))


def _assigned(piece: Segment) -> str:
    code = without_options(piece.rest, piece.name)
    if piece.name in RUNS_ITS_LINE and is_expression(code):
        return f"{piece.assigned} = {_call(piece.name, f'({code})')}"
    if piece.name in RUNS_APART and is_expression(code):
        return f"{piece.assigned} = {_call(piece.name, f'lambda: ({code})')}"
    return f"{piece.assigned} = {_call(piece.name, *_reads(piece), text=piece.rest)}"


def _statement(piece: Segment) -> str:
    name, rest = piece.name, piece.rest
    if name in AUTOCALLS:
        return _autocall(name, rest)
    if name in OURS:
        return _quiet(piece, arguments_read(name, rest))
    code = without_options(rest, name)
    if name in RUNS_ITS_LINE and code:
        return code if parses(code) else "pass"
    if name in RUNS_APART and code:
        apart = (f"{_call(name, f'lambda: ({code})')}", f"class __timeit__: {code}")
        return next((text for text in apart if parses(text)), "pass")
    if name == "xdel":
        return f"del {code}" if parses(f"del {code}") else "pass"
    if name == "store":
        return _store(rest, code)
    result = _RESULT.match(rest)
    if result:
        return f"{result[1]} = {_call(name, *_reads(piece), text=rest)}"
    return _quiet(piece, _reads(piece))


def _store(rest: str, names: str) -> str:
    variables = [name for name in names.split() if name.isidentifier()]
    if rest.startswith("-r"):
        return " = ".join([*variables, _call("store" if variables else "store -r")])
    return _call("store", *variables)


def _autocall(escape: str, rest: str) -> str:
    name, _, arguments = rest.partition(" ")
    given = {"/": ", ".join(arguments.split()), ",": repr(arguments.split()), ";": repr(arguments)}[escape]
    return f"{name}({given})" if parses(f"{name}({given})") else "pass"


def _shell(piece: Segment) -> str:
    reads = interpolated(piece.rest)
    return _replaced(piece, f"{piece.assigned} = {_call('!', *reads)}" if piece.assigned else _quiet(piece, reads))


def _help(piece: Segment) -> str:
    return _replaced(piece, f"pass  # {_first_line(piece)}")


def _cell_magic(piece: Segment) -> str:
    header, end, code = _cut_first_line(piece.text)
    name, rest = piece.name, piece.rest
    if name in RUNS_HERE:
        bound = without_options(rest, name).split() if name == "capture" else []
        binds = bool(bound) and bound[0].isidentifier()
        return (f"{bound[0]} = {_call(name)}" if binds else f"pass  # {header}") + end + to_python(code)
    if name in RUNS_APART:
        return _apart(header, end, code, without_options(rest, name))
    bound = _OUTPUTS.findall(rest) + _RESULT.findall(rest)
    if name == "bigquery" and rest and rest.split()[0].isidentifier():
        bound.append(rest.split()[0])
    reads = interpolated(rest)
    call = _call(name, *reads, text=f"{rest}\n{code}")
    commented = "".join(f"# {line}" for line in _LINE.findall(code))
    is_call = bound or reads or name not in HARMLESS
    return (" = ".join([*bound, call]) if is_call else f"pass  # {header}") + end + commented


def _apart(header: str, end: str, code: str, setup: str) -> str:
    """Translate `%%timeit setup` and its code to a class, whose body, too, runs at once and keeps its names."""
    inside = to_python(code)
    if not any(line.strip() and not line.lstrip().startswith("#") for line in inside.splitlines()):
        return f"pass  # {header}{end}{inside}"
    value = setup.rpartition("=")[2] if not is_expression(setup) else setup
    base = f"({_call('timeit', f'lambda: ({value})')})" if is_expression(value) else ""
    return f"class __timeit__{base}:{end}" + "".join(f" {line}" for line in _LINE.findall(inside))


_TRANSLATORS: dict[SegmentKind, Callable[[Segment], str]] = {
    SegmentKind.LINE_MAGIC: _line_magic,
    SegmentKind.CELL_MAGIC: _cell_magic,
    SegmentKind.SHELL: _shell,
    SegmentKind.HELP: _help,
}


def _replaced(piece: Segment, statement: str) -> str:
    """Return a statement in the place of a segment: same indentation, same number of lines."""
    indent = _INDENT.match(piece.text)
    ends = LINE_END.findall(piece.text)[len(LINE_END.findall(statement)) :]  # targets may take several lines
    return f"{indent[0] if indent else ''}{statement}{''.join(ends)}"


def _quiet(piece: Segment, reads: list[str]) -> str:
    quiet = piece.kind is SegmentKind.SHELL or piece.name in HARMLESS
    return f"pass  # {_first_line(piece)}" if quiet and not reads else _call(piece.name, *reads, text=piece.rest)


def _reads(piece: Segment) -> list[str]:
    return arguments_read(piece.name, piece.rest) if piece.name in OURS else interpolated(piece.rest)


def _call(name: str, *arguments: str, text: str = "") -> str:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    given = [f"text={text!r}"] if text and not known(name) else []
    return f"{MAGIC}({', '.join([quoted, *arguments, *given])})"


def known(name: str) -> bool:
    """Return whether it is known which names a magic reads and binds."""
    return name in HARMLESS | RUNS_HERE | RUNS_APART | AUTOCALLS


def _first_line(piece: Segment) -> str:
    return _cut_first_line(piece.text)[0].strip()


def _cut_first_line(text: str) -> tuple[str, str, str]:
    end = LINE_END.search(text)
    return (text[: end.start()], end[0], text[end.end() :]) if end else (text, "", "")


def without_options(line: str, name: str) -> str:
    """Return a magic's line without the options at its front (`-n 10 -r3 --quiet`).

    Examples
    --------
    >>> without_options("-n 10 -r3 f(x)", "timeit")
    'f(x)'
    """
    while True:
        option = _OPTION.match(line)
        if not option:
            return line.strip()
        line = line[option.end() :]
        if not option[2] and option[1] in _VALUED.get(name, ""):
            line = line.partition(" ")[2]
