"""The body of a step's function: its cells without what stands at the top of the module."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Mapping, Sequence, Set

from mlops_jupyter.analysis.facts.extract import Statement, StatementKind
from mlops_jupyter.analysis.syntax.parsing import lines_of
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import DRAWING
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.formatting import KEEP
from mlops_jupyter.services.pipeline.steps.imports import Place, by_star, imports

PYPLOT = re.compile(r"^import matplotlib\.pyplot as (\w+)|^from matplotlib import pyplot as (\w+)", re.MULTILINE)

INNER_IMPORT = re.compile(r"^([ \t]+(?:import|from)\s[^#'\"\\]*[^#'\"\\\s,])$")
"""Match an import inside a block: whether it succeeds may matter, though its name is never used."""


def joined(
    parts: CellCodes,
    members: Sequence[int],
    nested: set[Binding],
    at_top: set[str],
    parameters: Mapping[str, object],
    pyplot: str,
) -> str:
    """Join the cells, each preceded by the code of other steps that it uses and that must stand inside the function.

    Parameters
    ----------
    members : the step's executions.
    nested : bindings of other steps whose code stands inside the function.
    at_top : names bound at the top of the module; "*" if star imports stand there.
    parameters : the step's parameters.
    pyplot : the module's name for pyplot. Figures that a cell drew are shown before the next cell.
    """
    texts: list[str] = []
    standing: dict[str, int] = {}
    for member in members:
        used = set(parts.reads(member))
        for need in sorted(nested, key=lambda n: place(parts, n)):
            needed = need in used or not any(need in parts.reads(m) for m in members)
            if needed and standing.get(need.name) != need.maker:
                texts.append(_binding(parts, need))
                standing[need.name] = need.maker
        body = _left(parts[member], at_top, parameters)
        shows_figures = parts[member].execution.writes.get(DRAWING) == Mark.SHOWN and member != members[-1]
        if shows_figures and not body.rstrip().endswith(f"{pyplot}.show()"):
            body += f"{pyplot}.show()\n"  # as the notebook did when the cell had ended
        texts.append(body)
        standing.update(dict.fromkeys(parts[member].facts.definitions | parts[member].facts.imports.keys(), member))
    return "\n".join(filter(None, texts))


def pyplot(imports: Iterable[str]) -> tuple[str, bool]:
    """Return a module's name for pyplot, and whether these imports bind it."""
    imported = PYPLOT.search("".join(imports))
    return (next(filter(None, imported.groups())), True) if imported else ("pyplot", False)


def _binding(parts: CellCodes, need: Binding) -> str:
    """Return the code that binds another step's name inside the function: its definition, or its import alone."""
    part = parts[need.maker]
    if need.name in part.facts.definitions:
        return definition(parts, need)
    if by_star(parts, need):
        return "".join(imports(parts, need).values())
    return part.facts.imports[need.name] + "\n"


def used(parts: CellCodes, need: Binding) -> frozenset[str]:
    """Return the names that a definition reads, when it is made and when it is called."""
    part = parts[need.maker]
    statement = part.binding(need.name)
    return part.facts.deferred_reads.get(need.name, frozenset()) | (statement.reads if statement else frozenset())


def definition(parts: CellCodes, need: Binding) -> str:
    """Return the source of a function, class or named lambda."""
    part = parts[need.maker]
    statement = part.binding(need.name)
    assert statement is not None
    return part.text(statement)


def code_only(text: str) -> str:
    """Return a text without its comment lines."""
    return "\n".join(line for line in lines_of(text) if not line.lstrip().startswith("#")).strip()


def _left(part: CellCode, at_top: set[str], parameters: Mapping[str, object]) -> str:
    """Return a cell's text without parameters and without the statements that stand at the top of the module."""
    lines, remaining, last_line = part.lines, list[str](), 0
    for statement in part.facts.statements:
        first, last = statement.span.comment_line, statement.span.end_line
        if first <= last_line:  # a second statement on one line was taken with the first
            continue
        remaining += lines[last_line : first - 1]
        if not dropped(part, statement, at_top, parameters):
            remaining += [INNER_IMPORT.sub(rf"\1{KEEP}", line) for line in lines[first - 1 : last]]
            if lines[statement.span.line - 1].startswith("del "):
                remaining += [
                    f"{name} = builtins.{name}" for name in sorted(statement.deletes) if hasattr(builtins, name)
                ]
        last_line = last
    remaining += lines[last_line:]
    return "\n".join(remaining).strip("\n") + "\n" if any(line.strip() for line in remaining) else ""


def dropped(part: CellCode, statement: Statement, at_top: set[str], parameters: Mapping[str, object]) -> bool:
    """Say whether a statement is left out of the body: it stands at the top of the module, or only shows a value."""
    if _shares_lines(part, statement):
        return False
    if statement.kind in (StatementKind.IMPORT, StatementKind.DEFINITION):
        return statement.writes <= at_top if statement.writes else "*" in at_top
    if statement.kind is StatementKind.LITERAL:
        return is_parameter_default(part, statement, parameters)
    if statement.kind is not StatementKind.EXPRESSION or statement.reads & part.execution.mutated:
        return False  # reading an attribute may have made it
    return _only_shows(code_only(part.text(statement)), part.execution.writes.keys())


def is_parameter_default(part: CellCode, statement: Statement, parameters: Mapping[str, object]) -> bool:
    """Say whether a statement only binds parameters of the cell to their defaults, instead of which a run has its own.

    Parameters
    ----------
    parameters : those of the cell that count.
    """
    names = parameters.keys() & part.parameters.keys()
    is_literal = statement.kind is StatementKind.LITERAL and bool(statement.writes)
    return is_literal and statement.writes <= names and not _shares_lines(part, statement)


def _shares_lines(part: CellCode, statement: Statement) -> bool:
    first, last = statement.span.line, statement.span.end_line
    return sum(s.span.line <= last and s.span.end_line >= first for s in part.facts.statements) > 1


LOOKS = (ast.Expr, ast.Tuple, ast.List, ast.Name, ast.Attribute, ast.Constant, ast.Subscript, ast.Slice)
"""Node types of an expression that only shows values at the end of a cell."""

PLAIN = re.compile(r"shape|dtypes?|columns|index|name|T|size|ndim|values|loc|iloc|at|iat|empty|real|imag|\w+_")
"""Attributes of frames, arrays and fitted estimators whose reading changes nothing; others may be made on reading."""


def _only_shows(text: str, made: Set[str]) -> bool:
    """Say whether an expression changes nothing. Of names that the cell made, only attributes of `PLAIN` are safe."""
    nodes = [node for statement in ast.parse(text).body for node in ast.walk(statement)]
    fresh = any(isinstance(node, ast.Name) and node.id in made for node in nodes)
    plain = all(PLAIN.fullmatch(node.attr) for node in nodes if isinstance(node, ast.Attribute)) if fresh else True
    return plain and all(isinstance(node, (*LOOKS, ast.expr_context)) for node in nodes)


def place(parts: CellCodes, need: Binding) -> Place:
    """Return the execution and the line in which a binding's code was made, to sort definitions by."""
    statement = parts[need.maker].binding(need.name)
    return need.maker, statement.span.line if statement else 0
