"""A cell's text -> plain Python: our own magics by their meaning, IPython's by rules, anything else refused by name."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field

from mlops_jupyter.analysis.cells import Piece, PieceKind, pieces
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.records import Execution
from mlops_jupyter.services.pipeline.ports import Code, Magics

INTERACTIVE = re.compile(
    r"matplotlib|config|timeit|load_ext|reload_ext|unload_ext|autoreload|who|who_ls|whos|history|hist|lsmagic|"
    r"magic|pinfo|pinfo2|pdef|pdoc|psource|pfile|precision|pprint|colors|autocall|automagic|doctest_mode|logstart|"
    r"logstop|logon|logoff|logstate|notebook|gui|pylab|prun|lprun|mprun|memit|mem|xmode|page|quickref|recall|rerun|"
    r"pastebin|tb|debug|pdb|reset_selective|alias|alias_magic|bookmark|dhist|edit|killbgscripts|save|sx_|dirs"
).fullmatch
"""Line magics that only serve the person at the screen."""


@dataclass
class Translation:
    """A cell in plain Python.

    Attributes
    ----------
    text : the Python.
    runtime : "module:function" of the bundle's runtime that it calls.
    imports : import statements that the rules brought in.
    requirements : what `%pip install` asked for.
    """

    text: str = ""
    runtime: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    _lines: list[str] = field(default_factory=list)

    def add(self, code: Code) -> None:
        """Append Python."""
        if code.text:
            self._lines.append(code.text)
        self.runtime = tuple(dict.fromkeys((*self.runtime, *code.imports)))

    def need(self, statement: str) -> None:
        """Note an import statement that the text relies on."""
        self.imports = tuple(dict.fromkeys((*self.imports, statement)))


def translate(execution: Execution, magics: Magics, where: str) -> Translation:
    """Turn one executed cell into plain Python.

    Parameters
    ----------
    where : how to name the cell in a message ("cell 7").

    Raises
    ------
    UserError
        A magic that has no meaning outside IPython, with its cell and line.
    """
    done = Translation()
    before, after = magics.around(execution)
    done.add(before)
    for piece in pieces(execution.body):
        _piece(piece, done, magics, where)
    done.add(after)
    if re.search(r"(?<![\w.])display\(", "\n".join(done._lines)) and "display" not in execution.reads:
        done.runtime = (*done.runtime, "display:display")
    done.text = "\n".join(line.rstrip("\n") for line in done._lines) + "\n"
    return done


def answers(execution: Execution, magics: Magics) -> frozenset[str]:
    """Names that a cell binds to what our own magics only show (`table = %pipeline`)."""
    return frozenset(
        piece.assigned
        for piece in pieces(execution.body)
        if piece.kind is PieceKind.LINE_MAGIC and piece.assigned and _only_shows(piece, magics)
    )


def _only_shows(piece: Piece, magics: Magics) -> bool:
    try:
        return magics.line(piece.name, piece.rest) is None
    except KeyError:
        return False


def _piece(piece: Piece, done: Translation, magics: Magics, where: str) -> None:
    if piece.kind is PieceKind.PYTHON:
        done.add(Code(piece.text))
        return
    before = len(done._lines)
    _special(piece, done, magics, where)
    margin = re.match(r"[ \t]*", piece.text)[0]  # type: ignore[index]
    if margin:  # it stands in a block, which must keep a statement
        done._lines[before:] = [textwrap.indent(line, margin) for line in done._lines[before:] or ["pass"]]


def _special(piece: Piece, done: Translation, magics: Magics, where: str) -> None:
    if piece.kind is PieceKind.SHELL:
        _shell(piece, done)
    elif piece.kind is PieceKind.CELL_MAGIC:
        _cell_magic(piece, done, magics, where)
    elif piece.kind is PieceKind.LINE_MAGIC:
        _line_magic(piece, done, magics, where)


def _line_magic(piece: Piece, done: Translation, magics: Magics, where: str) -> None:
    try:
        code = magics.line(piece.name, piece.rest)
    except KeyError:
        rule = LINE_RULES.get(piece.name)
        if rule is not None:
            rule(piece, done)
        elif not INTERACTIVE(piece.name):
            raise UserError(
                f"{where}, line {piece.line}: %{piece.name} has no meaning outside IPython; "
                "write it in Python or take it out of the notebook"
            ) from None
        return
    if code is not None:
        done.add(Code(f"{piece.assigned} = {code.text}", code.imports) if piece.assigned else code)


def _cell_magic(piece: Piece, done: Translation, magics: Magics, where: str) -> None:
    body = piece.text.partition("\n")[2]
    if piece.name in ("time", "capture"):
        for inner in pieces(body):
            _piece(inner, done, magics, where)
    elif piece.name in ("bash", "sh"):
        done.need("import subprocess")
        done.add(Code(f"subprocess.run([{piece.name!r}, '-c', {body!r}], check=True)"))
    elif piece.name == "writefile":
        done.need("from pathlib import Path")
        done.add(Code(f"Path({piece.rest.split()[-1]!r}).write_text({body!r})"))
    elif piece.name not in ("timeit", "prun", "html", "HTML", "javascript", "js", "markdown", "latex", "svg", "SVG"):
        raise UserError(
            f"{where}, line {piece.line}: %%{piece.name} has no meaning outside IPython; "
            "write it in Python or take it out of the notebook"
        )


def _shell(piece: Piece, done: Translation) -> None:
    command = piece.rest
    if re.match(r"(python -m )?pip3? install\b", command):
        _pip(piece, done)
        return
    done.need("import subprocess")
    text = _interpolated(command)
    if piece.assigned:
        done.add(
            Code(
                f"{piece.assigned} = subprocess.run({text}, shell=True, check=True, capture_output=True, text=True)"
                ".stdout.splitlines()"
            )
        )
    else:
        done.add(Code(f"subprocess.run({text}, shell=True, check=True)"))


def _interpolated(command: str) -> str:
    """Return a Python string expression for a shell line, in which `{expr}` and `$name` stand for notebook values."""
    parts = re.split(r"(\{\{|\}\}|\{[^{}]+\}|\$\$|\$[A-Za-z_]\w*)", command)
    if len(parts) == 1:
        return repr(command)
    text = ""
    for part in parts:
        if part in ("$$", "{{", "}}"):
            text += "$" if part == "$$" else part
        elif part.startswith("{"):
            text += part
        elif part.startswith("$") and len(part) > 1:
            text += f"{{{part[1:]}}}"
        else:
            text += repr(part)[1:-1].replace("{", "{{").replace("}", "}}").replace('"', '\\"').replace("\\'", "'")
    return f'f"{text}"'


def _pip(piece: Piece, done: Translation) -> None:
    words = re.sub(r"^.*?\binstall\b", "", piece.rest).split()
    done.requirements = (*done.requirements, *(w.strip("\"'") for w in words if not w.startswith("-")))


def _time(piece: Piece, done: Translation) -> None:
    done.add(Code(f"{piece.assigned} = {piece.rest}" if piece.assigned else piece.rest))


def _cd(piece: Piece, done: Translation) -> None:
    done.need("import os")
    done.add(Code(f"os.chdir({piece.rest.strip().strip(chr(34)).strip(chr(39))!r})"))


def _env(piece: Piece, done: Translation) -> None:
    match = re.match(r"\s*(\w+)[ =]\s*(.*)", piece.rest, re.DOTALL)
    if match:
        done.need("import os")
        done.add(Code(f"os.environ[{match.group(1)!r}] = {match.group(2).strip()!r}"))


LINE_RULES: dict[str, Callable[[Piece, Translation], None]] = {
    "time": _time,
    "cd": _cd,
    "env": _env,
    "set_env": _env,
    "pip": _pip,
    "conda": _pip,
    "sx": _shell,
    "system": _shell,
}


def indented(text: str, by: str = "    ") -> str:
    """Indent code by one level, leaving the insides of multi-line strings as they are."""
    import io
    import tokenize

    inside: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.start[0] != token.end[0]:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    lines = text.splitlines(keepends=True)
    return "".join(
        line if number in inside else textwrap.indent(line, by) for number, line in enumerate(lines, start=1)
    )
