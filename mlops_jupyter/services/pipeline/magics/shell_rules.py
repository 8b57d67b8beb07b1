"""Shell lines and cells of other languages -> `subprocess` calls that fail where the command fails."""

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
"""A name that IPython expands: not between single quotes."""


def line(piece: Segment, done: Translation, site: CellContext) -> None:
    """`!command`, `x = !command`, `%sx command`: the output, where it is kept, holds what went to stderr too."""
    command = piece.rest
    installs = INSTALLS.match(command)
    if installs:
        requirements(installs["rest"], done)
        done.lose(piece.assigned, "holds what an installer printed")
    elif command:
        run(piece, done, text_of(command, site.known), kept=piece.assigned)


def alias(piece: Segment, done: Translation, site: CellContext) -> None:
    """`%mkdir out`: a command of the shell with a name of its own."""
    run(piece, done, text_of(f"{piece.name} {piece.rest}", site.known), kept=None)
    done.lose(piece.assigned, f"holds what %{piece.name} gives, which is nothing")


def run(piece: Segment, done: Translation, command: str, kept: str | None) -> None:
    """Append a checked call; `kept` is bound to the lines of its output."""
    done.need("import subprocess")
    if kept:
        streams = "stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True"
        done.bind(kept, f"subprocess.run({command}, shell=True, check=True, {streams}).stdout.splitlines()")
    else:
        done.add(MagicCode(f"subprocess.run({command}, shell=True, check=True)"))


def cell(piece: Segment, done: Translation, site: CellContext) -> None:
    """`%%sx` and `%%!`: the body as one command."""
    run(piece, done, text_of(body(piece), site.known), kept=None)


def script(piece: Segment, done: Translation, site: CellContext) -> None:
    """`%%bash`, `%%script PROGRAM`, ...: the body goes to the program's standard input."""
    words = shlex.split(piece.rest)
    if piece.name != "script":
        words.insert(0, piece.name)
    options = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in ("--out", "--err", "--proc"):
        options.add_argument(name)
    options.add_argument("--bg", action="store_true")
    options.add_argument("--no-raise-error", action="store_false", dest="check")
    asked, program = options.parse_known_args(words)
    if asked.bg or asked.proc:
        raise site.refuse(piece, "in the background goes on after its cell: take --bg and --proc out")
    if "{" in piece.rest or "$" in piece.rest or not program:
        raise site.refuse(piece, "names its program when it runs: write the program itself")
    done.need("import subprocess")
    kept = {stream: name for stream, name in (("stdout", asked.out), ("stderr", asked.err)) if name}
    streams = "".join(f", {stream}=subprocess.PIPE" for stream in kept)
    call = f"subprocess.run({program!r}, input={quoted(body(piece))}, text=True, check={asked.check}{streams})"
    if len(kept) == 2:
        done.bind("_ran", call)
        done.add(MagicCode("\n".join(f"{name} = _ran.{stream}" for stream, name in kept.items())))
    elif kept:
        [(stream, name)] = kept.items()
        done.bind(name, f"{call}.{stream}")
    else:
        done.add(MagicCode(call))


def body(piece: Segment) -> str:
    """What stands below the first line of a cell magic."""
    return "".join(LINE_END.split(piece.text, maxsplit=1)[1:])


def quoted(text: str) -> str:
    """Return text as Python that a person can read: over lines where that is safe."""
    safe = "\n" in text and not set("\\\r\f") & set(text) and '"""' not in text and not text.endswith('"')
    return f'"""\\\n{text}"""' if safe else repr(text)


def text_of(line: str, known: Set[str]) -> str:
    """Return a Python expression for a line in which `{expr}` and `$name` stand for the notebook's values.

    IPython leaves the whole line as it is where an expression cannot be had, and a `$name` that it does not know: those
    are the shell's own.

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
"""Plain text, or "" with an expression and how to format it."""


def _names(expression: str) -> set[str]:
    found = [node for node in ast.walk(ast.parse(f"({expression.strip()})")) if isinstance(node, ast.Name)]
    bound = {node.id for node in found if isinstance(node.ctx, ast.Store)}
    return {node.id for node in found} - bound - set(dir(builtins))


def _dollars(text: str, known: Set[str]) -> Iterator[Part]:
    end = 0
    for found in DOLLAR.finditer(text):
        name = found[1]
        if name.startswith("$"):
            yield text[end : found.start()] + name, "", ""
        elif name.split(".")[0] in known:
            yield text[end : found.start()], "", ""
            yield "", name, ""
        else:
            continue
        end = found.end()
    yield text[end:], "", ""


def _formatted(parts: Sequence[Part]) -> str:
    """A plain string, or an f-string where its quotes allow one, else `format`."""
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
    """Take in what an installer was asked for."""
    words = (w.strip("\"'") for w in rest.split())
    done.requirements = (*done.requirements, *(w for w in words if not w.startswith("-")))
