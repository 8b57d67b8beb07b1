"""YAML that every reader takes alike: what one of them might take for a number, a date or a truth value is quoted.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

PLAIN = re.compile(r"(?:[A-Za-z_/]|\./|\.[A-Za-z])[\w ./@$+-]*", re.ASCII)
"""Texts that need no quotes, but for `WORDS`."""

WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", ".nan", ".inf"])


def documents(*mappings: Mapping[str, Any], ascii_only: bool = False, quick: bool = False) -> str:
    """Return mappings as the documents of one file, in their own order; texts of several lines as blocks.

    Parameters
    ----------
    quick : let libyaml write, where it is built in: six times as fast (0.13 s for 1,000 steps), lists not indented.

    Examples
    --------
    >>> print(documents({"code": "no", "size": "1e3", "run": "make\\n", "on": 1}), end="")
    code: "no"
    size: "1e3"
    run: |
      make
    "on": 1
    """
    options: dict[str, Any] = {"sort_keys": False, "width": UNLIMITED, "allow_unicode": not ascii_only}
    if quick:
        try:
            return str(yaml.dump_all(mappings, Dumper=_Quick, **options))
        except UnicodeEncodeError:  # half of a surrogate pair, which libyaml takes for no text; the other escapes it
            pass
    return str(yaml.dump_all(mappings, Dumper=_Indented, **options))


UNLIMITED = 2**31 - 1
"""The longest line that libyaml knows: no text is folded."""


class _Indented(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True  # equal parts are written out: not every reader knows anchors

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # lists are indented, as people write them


class _Quick(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS and text == text.strip()
    block = "\n" in text and all(line.isprintable() for line in text.split("\n"))  # other ends of lines would be lost
    style = None if plain else "|" if block else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


for _dumper in (_Indented, _Quick):
    _dumper.add_representer(str, _text)
