"""What a step takes from the outside world: environment variables, which its cache key holds, and what no key can hold.

The text of a step's module is read, and that of the local modules' functions that it may reach by their names.

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from mlops_jupyter.analysis.facts.extract import NondeterminismKind, StatementKind, extract_facts
from mlops_jupyter.analysis.mutations.sharing import constant_text
from mlops_jupyter.core.hidden_names import ENVIRON
from mlops_jupyter.core.plan import INITIAL, PlanStep
from mlops_jupyter.services.pipeline.steps.cell_code import CellCodes

VOLATILE = (
    NondeterminismKind.CLOCK,
    NondeterminismKind.ENTROPY,
    NondeterminismKind.NETWORK,
    NondeterminismKind.PROCESS,
    NondeterminismKind.DATABASE,
    NondeterminismKind.INPUT,
)
"""Causes that may give another value at any time, whatever is in a cache key."""

WORD = re.compile(r"[^\W\d]\w*")


def with_outside_world(
    parts: CellCodes, steps: Iterable[PlanStep], package: str, files: Mapping[str, bytes]
) -> list[PlanStep]:
    """Return the steps, each with what it takes from the outside world.

    Parameters
    ----------
    files : path -> content of the files in the bundle that hold code beside the steps' modules.
    """
    sources = {path.removeprefix("src/"): data.decode() for path, data in files.items() if path.endswith(".py")}
    result = []
    for step in steps:
        local = {
            p: text for p, text in sources.items() if p.split("/")[0].removesuffix(".py") in (package, *step.imports)
        }
        outside = outside_world({"": step.module}, local)
        result.append(
            replace(
                step,
                inputs={**dict.fromkeys(outside.variables, INITIAL), **step.inputs},
                volatile=outside.volatile,
                cache=any(parts[member].is_cached for member in step.executions),
            )
        )
    return result


@dataclass(frozen=True)
class OutsideWorld:
    """What a step takes from outside.

    Attributes
    ----------
    volatile : reasons why its results cannot be taken from a cache, for people.
    variables : hidden variables of the environment variables that it names.
    """

    volatile: tuple[str, ...]
    variables: tuple[str, ...]


def outside_world(texts: Mapping[str, str], local: Mapping[str, str]) -> OutsideWorld:
    """Return what code takes from the outside world.

    Parameters
    ----------
    texts : where -> text of the step itself, all of which may run; "" says nothing of where.
    local : path -> text of the local modules that it may import, of which it runs what it may reach by name.

    Examples
    --------
    >>> outside_world({"": "stamp = time.time()\\nmode = os.environ['MODE']"}, {})
    OutsideWorld(volatile=('reads the clock: `time.time()`',), variables=('~environ:MODE',))
    """
    pieces = [*texts.items(), *_reached(" ".join(texts.values()), local)]
    volatile, variables = dict[str, None](), set[str]()
    for where, text in pieces:
        place = f" ({where})" if where else ""
        for cause in extract_facts(text).causes:
            if cause.kind in VOLATILE:
                more = " …" if cause.text.count("(") != cause.text.count(")") else ""
                volatile[f"{cause.kind.value}: `{cause.text}{more}`{place}"] = None
        if "env" in text:
            variables |= _environment_variables(ast.parse(text))
    return OutsideWorld(tuple(volatile), tuple(sorted(ENVIRON + name for name in variables)))


def _reached(text: str, local: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of the statements of local modules that run when they are imported, or may be called."""
    words = set(WORD.findall(text))
    pieces = [(path, *piece) for path, source in local.items() for piece in _statements(source)]
    while pieces:
        run = [piece for piece in pieces if piece[1] is None or piece[1] in words]
        if not run:
            return
        pieces = [piece for piece in pieces if piece[1] is not None and piece[1] not in words]
        for path, _, piece in run:
            words |= set(WORD.findall(piece))
            yield path, piece


@lru_cache(maxsize=256)
def _statements(source: str) -> tuple[tuple[str | None, str], ...]:
    """Return (name of the definition, or None for what runs on import; text) of the statements of a module.

    Imports stand before each text, so that names in it mean what they mean in the module.
    """
    lines = source.splitlines()
    statements = extract_facts(source).statements
    texts = {s: "\n".join(lines[s.span.line - 1 : s.span.end_line]) for s in statements}
    imports = [texts[s] for s in statements if s.kind is StatementKind.IMPORT]
    pieces: list[tuple[str | None, str]] = []
    for statement in statements:
        if statement.kind is not StatementKind.IMPORT:
            name = next(iter(statement.writes), None) if statement.kind is StatementKind.DEFINITION else None
            pieces.append((name, "\n".join([*imports, texts[statement]])))
    return tuple(pieces)


def _environment_variables(tree: ast.AST) -> set[str]:
    """Return the names of environment variables that code reads by a constant name."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _last(node.value) == "environ":
            names.add(constant_text(node.slice))
        elif isinstance(node, ast.Call) and node.args:
            if _last(node.func) == "getenv" or _asks_environment(node.func):
                names.add(constant_text(node.args[0]))
        elif isinstance(node, ast.Compare) and any(_last(one) == "environ" for one in node.comparators):
            names.add(constant_text(node.left))
    return names - {""}


def _asks_environment(func: ast.expr) -> bool:
    if not isinstance(func, ast.Attribute) or func.attr not in ("get", "setdefault", "pop", "__getitem__"):
        return False
    return _last(func.value) == "environ"


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
