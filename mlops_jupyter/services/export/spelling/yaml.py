"""YAML that every reader takes alike: what one of them might take for a number, a date or a truth value is quoted."""

from __future__ import annotations

import re
from typing import Any

import yaml

PLAIN = re.compile(r"[A-Za-z_./][\w ./@$+-]*", re.ASCII)
"""Texts that need no quotes, but for `WORDS`."""

WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", ".nan", ".inf"])


def dumped(facts: dict[str, Any]) -> str:
    """Return a mapping as YAML in its own order; texts of several lines as blocks.

    Examples
    --------
    >>> print(dumped({"code": "no", "size": "1e3", "run": "make\\n", "on": 1}), end="")
    code: "no"
    size: "1e3"
    run: |
      make
    "on": 1
    """
    return yaml.dump(facts, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


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
