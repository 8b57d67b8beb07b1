"""Files whose text is fixed but for placeholders: `@@{NAME}` stands where a part of the plan goes."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from importlib import resources

SHARED = ("CALLER", "WAITER")
"""Placeholders that any template may hold: code that calls the bundle's own command, and code that waits for it."""


class Template(string.Template):
    """A `string.Template` whose placeholders are `@@{NAME}`: `$` and `{}` mean something to shells, make and Python.

    One pass fills it in, so a placeholder inside of a value stays as it is.

    Examples
    --------
    >>> Template("@@{CALL}($HOME, {name})").substitute(CALL="run")
    'run($HOME, {name})'
    """

    delimiter = "@@"
    idpattern = "[A-Z]+"
    flags = re.RegexFlag(0)  # string.Template's own take small letters, too


def fill(package: str, file: str, parts: Mapping[str, str]) -> str:
    """Return a file of templates with its placeholders filled in.

    Parameters
    ----------
    package, file : the template's package, and its name there.
    parts : placeholder -> source, made of literals and names alone.

    Raises
    ------
    KeyError
        The template holds a placeholder that `parts` lacks.
    """
    template = _template(package, file)
    for shared in SHARED:
        if shared in template.get_identifiers():
            text = _template(__package__, f"{shared.lower()}.txt").substitute(parts)
            parts = {**parts, shared: text.removesuffix("\n")}
    return template.substitute(parts)


def _template(package: str, file: str) -> Template:
    return Template(resources.files(package).joinpath(file).read_text(encoding="utf-8"))
