"""Translate shell lines and cells of other languages into `subprocess` calls that fail when the command fails."""

from __future__ import annotations

import ast
import builtins
import re
import shlex
import string
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence, Set

from mlops_jupyter.analysis.cells import Segment
from mlops_jupyter.analysis.cells.interpolation import is_expression
from mlops_jupyter.analysis.syntax.parsing import LINE_END
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.ports import MagicCode

INSTALLS = re.compile(
    r"(?:\S*python[\d.]* -m )?(?:uv )?(?:pip3?|conda|mamba|micromamba) (?:-\S+ )*install\b(?P<rest>.*)"
)
DOLLAR = re.compile(r"\$(\$?[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?=(?:[^']*'[^']*')*[^']*$)")
"""Match a `$name` that IPython expands: one that is not between single quotes."""


def line(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `!command`, `x = !command` and `%sx command`. Captured output includes stderr."""
    command = piece.rest
    installs = INSTALLS.match(command)
    if installs:
        requirements(installs["rest"], done)
        done.lose(piece.assigned, "holds what an installer printed")
    elif command:
        run(piece, done, text_of(command, site.known), kept=piece.assigned)


def alias(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate an alias such as `%mkdir out` to the shell command of that name."""
    run(piece, done, text_of(f"{piece.name} {piece.rest}", site.known), kept=None)
    done.lose(piece.assigned, f"holds what %{piece.name} gives, which is nothing")


def run(piece: Segment, done: Translation, command: str, kept: str | None) -> None:
    """Append a checked call of a command; bind the target `kept`, if any, to the lines of its output."""
    done.need("import subprocess")
    if kept:
        streams = "stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True"
        done.bind(kept, f"subprocess.run({command}, shell=True, check=True, {streams}).stdout.splitlines()")
    else:
        done.add(MagicCode(f"subprocess.run({command}, shell=True, check=True)"))


def cell(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%%sx` and `%%!`: the body is one command."""
    run(piece, done, text_of(body(piece), site.known), kept=None)


def script(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%%bash`, `%%script PROGRAM` ...: the body is the program's standard input."""
    words = shlex.split(piece.rest)
    if piece.name != "script":
        words.insert(0, piece.name)
    options = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in ("--out", "--err", "--proc"):
        options.add_argument(name)
    options.add_argument("--bg", action="store_true")
    options.add_argument("--no-raise-error", action="store_false", dest="check")
    arguments, program = options.parse_known_args(words)
    if arguments.bg or arguments.proc:
        raise site.refuse(piece, "in the background goes on after its cell: take --bg and --proc out")
    captured = {stream: name for stream, name in (("stdout", arguments.out), ("stderr", arguments.err)) if name}
    expanded = text_of(piece.rest, site.known)
    is_expanded = not is_literal(expanded)
    if not program or (is_expanded and (piece.name == "script" or captured or not arguments.check)):
        raise site.refuse(piece, "names its program when it runs: write the program itself")
    done.need("import subprocess")
    words_of = repr(program)
    if is_expanded:  # as in IPython: values are put in first, and the line is cut into words then
        done.need("import shlex")
        words_of = f"[{piece.name!r}, *shlex.split({expanded})]"
    streams = "".join(f", {stream}=subprocess.PIPE" for stream in captured)
    call = f"subprocess.run({words_of}, input={quoted(body(piece))}, text=True, check={arguments.check}{streams})"
    if len(captured) == 2:
        done.bind("_ran", call)
        done.add(MagicCode("\n".join(f"{name} = _ran.{stream}" for stream, name in captured.items())))
    elif captured:
        [(stream, name)] = captured.items()
        done.bind(name, f"{call}.{stream}")
    else:
        done.add(MagicCode(call))


def is_literal(expression: str) -> bool:
    """Say whether an expression that `text_of` returned is a plain string."""
    return isinstance(ast.parse(expression, mode="eval").body, ast.Constant)


def body(piece: Segment) -> str:
    """Return the text below the first line of a cell magic."""
    return "".join(LINE_END.split(piece.text, maxsplit=1)[1:])


def quoted(text: str) -> str:
    """Return text as a Python literal, in triple quotes over several lines where that is safe."""
    safe = "\n" in text and not set("\\\r\f") & set(text) and '"""' not in text and not text.endswith('"')
    return f'"""\\\n{text}"""' if safe else repr(text)


def text_of(line: str, known: Set[str]) -> str:
    """Return a Python expression for a line in which `{expr}` and `$name` stand for the notebook's values.

    As in IPython, the whole line stays as it is if an expression cannot be evaluated, and so does an unknown `$name`:
    it is the shell's own variable.

    Parameters
    ----------
    known : names that expressions may use.

    Examples
    --------
    >>> print(text_of("cp {a} $b $HOME", {"a", "b"}))
    f'cp {a} {b} $HOME'
    >>> print(text_of("awk '{print $1}' x", {"x"}))
    "awk '{print $1}' x"
    """
    try:
        cut = list(string.Formatter().parse(line))
    except ValueError:
        return repr(line)
    parts: list[Part] = []
    for text, field, spec, conversion in cut:
        parts += _dollars(text, known)
        if field is not None:
            if not is_expression(field) or not _names(field) <= known:
                return repr(line)
            parts.append(("", field.strip(), (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")))
    return _formatted(parts)


Part = tuple[str, str, str]
"""(text, expression, format): plain text with no expression, or "" with an expression and its conversion and format."""


def _names(expression: str) -> set[str]:
    found = [node for node in ast.walk(ast.parse(f"({expression.strip()})")) if isinstance(node, ast.Name)]
    bound = {node.id for node in found if isinstance(node.ctx, ast.Store)}
    return {node.id for node in found} - bound - set(dir(builtins))


def _dollars(text: str, known: Set[str]) -> Iterator[Part]:
    end = 0
    for match in DOLLAR.finditer(text):
        name = match[1]
        if name.startswith("$"):
            yield text[end : match.start()] + name, "", ""
        elif name.split(".")[0] in known:
            yield text[end : match.start()], "", ""
            yield "", name, ""
        else:
            continue
        end = match.end()
    yield text[end:], "", ""


def _formatted(parts: Sequence[Part]) -> str:
    """Return a string literal, an f-string where the quotes in it allow one, else a call of `format`."""
    if not any(expression for _, expression, _ in parts):
        return repr("".join(text for text, _, _ in parts))
    doubled = [(text.replace("{", "{{").replace("}", "}}"), *rest) for text, *rest in parts]
    literal = "".join(f"{{{expression}{how}}}" if expression else text for text, expression, how in doubled)
    for quote in "'\"":
        if quote not in literal and "\\" not in literal and literal.isprintable():
            return f"f{quote}{literal}{quote}"
    pattern = "".join(f"{{{how}}}" if expression else text for text, expression, how in doubled)
    return f"{pattern!r}.format({', '.join(expression for _, expression, _ in parts if expression)})"


def requirements(rest: str, done: Translation) -> None:
    """Add the requirements that an installer's arguments name to the translation."""
    words = (w.strip("\"'") for w in rest.split())
    done.requirements = (*done.requirements, *(w for w in words if not w.startswith("-")))
