"""Where a statement stands in its cell, and of which kind it is."""

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
    """Where a statement stands. Lines count from 1 and are inclusive, columns are characters from 0.

    Attributes
    ----------
    comment_line : first line of the comments directly above it, or `line` where there are none.
    line : first line, decorators included.
    """

    comment_line: int
    line: int
    column: int
    end_line: int
    end_column: int


def span(node: ast.stmt, lines: list[str], previous_end: int) -> Span:
    """Return where a statement stands; comments above it belong to it down to the line where the previous one ends."""
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
    """Return the names to which a statement assigns a literal, with its value."""
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
    """Return what a statement is for."""
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
"""Functions that make a class, or a type, of the name that they get first."""

_FIELDS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Name, ast.Attribute, ast.Subscript, ast.BitOr, ast.BinOp)


def makes_class(node: ast.stmt) -> bool:
    """Whether a statement is `P = namedtuple("P", ...)` or its like: a definition in all but its words.

    Its arguments are fields and types, which do nothing when they are looked at.
    """
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.value, ast.Call):
        return False
    target, call = node.targets[0], node.value
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    named = call.args[0] if call.args else None
    if called not in MAKERS or not isinstance(target, ast.Name) or not isinstance(named, ast.Constant):
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    inner = (each for part in given for each in ast.walk(part))
    return named.value == target.id and all(isinstance(each, (*_FIELDS, ast.expr_context)) for each in inner)
