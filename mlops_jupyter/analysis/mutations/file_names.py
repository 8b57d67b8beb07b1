"""Names of files in source text: which a call may write, and which code names at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from mlops_jupyter.analysis.mutations.records import FileUse
from mlops_jupyter.analysis.mutations.sharing import called_name
from mlops_jupyter.analysis.syntax.vocabulary import words

WRITERS = re.compile(
    r"to_(csv|parquet|json|excel|pickle|feather|hdf|html|latex|stata|markdown|xml|orc|netcdf|zarr|file)"
    r"|save\w*|\w+_save|imsave|imwrite|dump|write\w*|sink_\w+|tofile|export\w*|touch|unlink|rename|replace|remove"
    r"|rmtree|copy\w*|move|symlink_to|truncate|urlretrieve"
)
"""Last names of functions and methods that write a file, or take one away."""

PATH_MAKERS = words(
    "Path PurePath PosixPath str join abspath realpath expanduser resolve joinpath with_name with_suffix"
)
"""Functions and methods that make a path of texts."""

FILE_NAME = re.compile(r"[^\n]{0,200}?[^\n/\s]*(?:\.\w{1,10}|\*)")
"""Match a text that may be the name of a file: it has an ending, or is a pattern."""


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts in an expression that may be names of files; `*` stands for what an f-string fills in.

    Examples
    --------
    >>> list(texts(ast.parse("folder / f'part_{n}.csv'", mode="eval")))
    ['part_*.csv']
    """
    if isinstance(node, ast.Constant):
        found = node.value if isinstance(node.value, str) else ""
    elif isinstance(node, ast.JoinedStr):
        found = pattern(node)
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)
        return
    if FILE_NAME.fullmatch(found):
        yield found


def pattern(node: ast.JoinedStr) -> str:
    """Return an f-string with `*` for what it fills in."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)


def bound_texts(value: ast.expr) -> Iterator[str]:
    """Yield the texts of an assigned value that may be names of files, also in calls that make paths of them.

    Examples
    --------
    >>> list(bound_texts(ast.parse("Path('out') / 'a.csv'", mode="eval").body))
    ['a.csv']
    >>> list(bound_texts(ast.parse("pd.read_csv('a.csv')", mode="eval").body))
    []
    """
    if isinstance(value, ast.Call) and called_name(value) not in PATH_MAKERS:
        return
    if isinstance(value, ast.Constant | ast.JoinedStr):
        yield from texts(value)
        return
    for child in ast.iter_child_nodes(value):
        if isinstance(child, ast.expr):
            yield from bound_texts(child)


def written(call: ast.Call) -> Iterator[FileUse]:
    """Yield the files that a call may write.

    Examples
    --------
    >>> list(written(ast.parse("open(path, 'w')", mode="eval").body))
    [FileUse(name='', variable='path', is_written=True)]
    >>> list(written(ast.parse("open(path)", mode="eval").body))
    []
    """
    function = called_name(call)
    if not (WRITERS.fullmatch(function) or (function == "open" and _may_write(call))):
        return
    receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    for part in (*receiver, *call.args, *(keyword.value for keyword in call.keywords)):
        yield from (FileUse(name, is_written=True) for name in texts(part))
        if isinstance(part, ast.Name):
            yield FileUse(variable=part.id, is_written=True)


def _may_write(call: ast.Call) -> bool:
    """Say whether a call of `open`, the function or a method of a path, may open for writing."""
    at = 0 if isinstance(call.func, ast.Attribute) and not _is_module(call.func.value) else 1
    mode = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), None)
    mode = mode or (call.args[at] if len(call.args) > at else None)
    if isinstance(mode, ast.Constant):
        return bool(set("wax+") & set(str(mode.value)))
    return mode is not None


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("io", "os", "gzip", "bz2", "lzma", "codecs")


def meet(name: str, other: str) -> str:
    """Return the file that two names mean, each a path or a pattern; "" if they mean none that is known.

    Folders do not count, since code may put them before a name in many ways; of two paths the other one is told.

    Examples
    --------
    >>> meet("out/a.csv", "a.csv"), meet("part_*.csv", "out/part_1.csv"), meet("*.csv", "*.csv"), meet("a", "b")
    ('a.csv', 'out/part_1.csv', '', '')
    """
    first, second = PurePosixPath(name).name, PurePosixPath(other).name
    if "*" not in second:
        return other if fnmatchcase(second, first) else ""
    return name if "*" not in first and fnmatchcase(first, second) else ""
