"""YAML that every reader takes alike: what one of them might take for a number, a date or a truth value is quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

PLAIN = re.compile(r"(?:[A-Za-z_/]|\./|\.[A-Za-z])[\w ./@$+-]*", re.ASCII)
"""Texts that need no quotes, but for `WORDS`."""

WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", ".nan", ".inf"])


def documents(*found: Mapping[str, Any], ascii_only: bool = False) -> str:
    """Return mappings as the documents of one file, in their own order; texts of several lines as blocks.

    Examples
    --------
    >>> print(documents({"code": "no", "size": "1e3", "run": "make\\n", "on": 1}), end="")
    code: "no"
    size: "1e3"
    run: |
      make
    "on": 1
    """
    return str(yaml.dump_all(found, Dumper=_Dumper, sort_keys=False, allow_unicode=not ascii_only, width=float("inf")))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True  # equal parts are written out: not every reader knows anchors

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # lists are indented, as people write them


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS and text == text.strip()
    block = "\n" in text and all(line.isprintable() for line in text.split("\n"))  # other ends of lines would be lost
    style = None if plain else "|" if block else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)
