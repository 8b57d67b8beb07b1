"""Values and names as Python source from which nothing can break out."""

from __future__ import annotations

import ast
import keyword
import math
from collections.abc import Iterable

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.emit.dns_labels import label


def literal(value: object) -> str:
    """Return source that evaluates to exactly this value; signs that do not print, or that reverse text, are escaped.

    Takes None, booleans, finite numbers, strings, and lists and dicts of them.

    Raises
    ------
    TypeError
        Any other type, subclasses included: their `repr` could say anything.

    Examples
    --------
    >>> print(literal({"a'": [1, True, None, "{{ x }}"]}))
    {"a'": [1, True, None, "{{ x }}"]}
    """
    text = _spell(value)
    if ast.literal_eval(text) != value:  # cannot happen; if it does, the file must not be written
        raise AssertionError(f"{text} is not {value!r}")
    return text


def _spell(value: object) -> str:
    if type(value) is str:
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text
    if type(value) is list:
        return f"[{', '.join(map(_spell, value))}]"
    if type(value) is dict:
        return f"{{{', '.join(f'{_spell(key)}: {_spell(part)}' for key, part in value.items())}}}"
    if value is None or type(value) in (bool, int) or (type(value) is float and math.isfinite(value)):
        return repr(value)
    raise TypeError(f"no literal for a {type(value).__name__}")


def identifier(name: str, what: str) -> str:
    """Return the name if it is an identifier of Python; else raise `UserError`, which names it and `what` it is for.

    Examples
    --------
    >>> identifier("load", "step")
    'load'
    """
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    raise UserError(f"{what} {name!r} is no Python name: use letters, digits and _, and begin with a letter")


def called(names: Iterable[str], taken: Iterable[str], ending: str, lower: bool = False) -> dict[str, str]:
    """Return name -> a unique ASCII name that is not taken: the name itself if it is one.

    Parameters
    ----------
    ending : suffix of a name that would be taken without it.
    lower : whether upper-case letters are forbidden, too.

    Examples
    --------
    >>> called(["load", "next", "Größe"], {"next"}, "step")
    {'load': 'load', 'next': 'next_step', 'Größe': 'groe_3c2f10'}
    """
    unique: dict[str, str] = {}
    for name in names:
        plain = name.isascii() and not name.startswith("_")
        candidate = (name.lower() if lower else name) if plain else label(name).replace("-", "_")
        while candidate in taken or candidate in unique.values():
            candidate += f"_{ending}"
        unique[name] = candidate
    return unique
