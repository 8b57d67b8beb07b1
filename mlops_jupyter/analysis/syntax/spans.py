"""The span of a statement in its cell, and its kind."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.syntax.literals import ABSENT, literal
from mlops_jupyter.analysis.syntax.vocabulary import words


class StatementKind(Enum):
    """What a statement is for."""

    IMPORT = "import"
    DEFINITION = "definition"  # def, class, name = lambda, name = namedtuple(...)
    LITERAL = "literal"  # name = 3: a parameter, perhaps
    EXPRESSION = "expression"
    OTHER = "other"


@dataclass(frozen=True)
class Span:
    """The span of a statement. Lines count from 1 and are inclusive, columns are characters from 0.

    Attributes
    ----------
    comment_line : first line of the comments directly above the statement, or `line` where there are none.
    line : first line, decorators included.
    column : column where the statement begins.
    end_line : last line.
    end_column : column after the last character.
    """

    comment_line: int
    line: int
    column: int
    end_line: int
    end_column: int


def span(node: ast.stmt, lines: list[str], previous_end: int) -> Span:
    """Return the span of a statement, with the comments above it, down to the line where the previous one ends."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    line = min(node.lineno, decorators[0].lineno) if decorators else node.lineno
    end_line, end_byte = node.end_lineno or node.lineno, node.end_col_offset or 0
    above = line
    while above - 1 > previous_end and lines[above - 2].startswith("#"):
        above -= 1
    return Span(
        above, line, _characters(lines[line - 1], node.col_offset), end_line, _characters(lines[end_line - 1], end_byte)
    )


def _characters(line: str, byte: int) -> int:
    return byte if line.isascii() else len(line.encode()[:byte].decode(errors="ignore"))


_NEVER = (ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp)


def assigned_literals(node: ast.stmt) -> dict[str, object]:
    """Return the names to which a statement assigns a literal, with the literal's value."""
    names: list[str]
    if isinstance(node, ast.Assign):
        if isinstance(node.value, _NEVER):
            return {}
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        complete = len(names) == len(node.targets)
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        names, complete = [node.target.id], True
    else:
        return {}
    value = literal(node.value) if node.value and complete else ABSENT
    return {} if value is ABSENT else dict.fromkeys(names, value)


def kind_of(node: ast.stmt, literals: dict[str, object]) -> StatementKind:
    """Return the kind of a statement, given its `assigned_literals`."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return StatementKind.IMPORT
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return StatementKind.DEFINITION
    if isinstance(node, ast.Expr):
        return StatementKind.EXPRESSION
    if literals:
        return StatementKind.LITERAL
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Lambda):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if all(isinstance(target, ast.Name) for target in targets):
            return StatementKind.DEFINITION
    return StatementKind.DEFINITION if makes_class(node) else StatementKind.OTHER


MAKERS = words(
    "namedtuple NamedTuple TypedDict NewType TypeVar ParamSpec TypeVarTuple make_dataclass Enum IntEnum StrEnum"
)
"""Functions that make a class or a type whose name is their first argument."""

_FIELDS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Name, ast.Attribute, ast.Subscript, ast.BitOr, ast.BinOp)


def makes_class(node: ast.stmt) -> bool:
    """Return whether a statement is `P = namedtuple("P", ...)` or the like, which counts as a definition.

    Its arguments are fields and types, whose evaluation has no side effects.
    """
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.value, ast.Call):
        return False
    target, call = node.targets[0], node.value
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    name = call.args[0] if call.args else None
    if function not in MAKERS or not isinstance(target, ast.Name) or not isinstance(name, ast.Constant):
        return False
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    inner = (part for argument in arguments for part in ast.walk(argument))
    return name.value == target.id and all(isinstance(part, (*_FIELDS, ast.expr_context)) for part in inner)
