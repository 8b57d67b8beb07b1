"""Generates TypeScript of the messages: `python -m mlops_jupyter.surfaces.server.wire > labextension/src/wire.ts`."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mlops_jupyter.surfaces.server import messages

HEAD = """\
// The messages of the server, generated from mlops_jupyter/surfaces/server/messages.py. Do not edit;
// write it again: python -m mlops_jupyter.surfaces.server.wire > labextension/src/wire.ts
"""

WORDS: Mapping[Any, str] = {str: "string", float: "number", int: "number", bool: "boolean", type(None): "null"}


def typescript(roots: tuple[type, ...]) -> str:
    """Return TypeScript declarations of dataclasses and, before them, of every type that their fields mention.

    Raises
    ------
    TypeError
        A field has a type that `WORDS` and `_word` cannot express.
    """
    declared: dict[type, str] = {}
    for root in roots:
        _declare(root, declared)
    return HEAD + "".join(f"\n{text}" for text in declared.values())


def _declare(kind: Any, declared: dict[type, str]) -> None:
    if kind in declared:
        return
    if issubclass(kind, Enum):
        declared[kind] = f"{_comment(kind)}export type {kind.__name__} = {_union(m.value for m in kind)};\n"
        return
    hints = get_type_hints(kind)
    for hint in hints.values():
        for mentioned in _mentions(hint):
            _declare(mentioned, declared)
    lines = "".join(f"  readonly {f.name}: {_word(hints[f.name])};\n" for f in fields(kind))
    declared[kind] = f"{_comment(kind)}export interface I{kind.__name__} {{\n{lines}}}\n"


def _mentions(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, Enum)):
        yield hint
    for part in get_args(hint):
        yield from _mentions(part)


def _word(hint: Any) -> str:
    """Return the TypeScript type of an annotation."""
    if hint in WORDS:
        return WORDS[hint]
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _union(parts)
    if origin in (Union, types.UnionType):
        return " | ".join(_word(part) for part in parts)
    if origin is tuple and parts[1:] == (...,):
        return f"readonly {_word(parts[0])}[]"
    if origin is Mapping:
        return f"Readonly<Record<string, {_word(parts[1])}>>"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint.__name__
    if isinstance(hint, type) and is_dataclass(hint):
        return f"I{hint.__name__}"
    raise TypeError(f"no TypeScript for {hint!r}: add it to {__name__}")


def _union(values: Any) -> str:
    return " | ".join(f"'{value}'" for value in values)


def _comment(kind: type) -> str:
    first = (inspect.getdoc(kind) or "").partition("\n")[0]
    return f"/** {first} */\n"


if __name__ == "__main__":
    print(typescript(messages.MESSAGES), end="")
