"""YAML that every parser reads alike: those of YAML 1.1, of 1.2, and those written in Go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/._-]*")
"""Texts that need no quotes, but for WORDS."""

WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What one parser or another takes for a truth value or for nothing."""


class _Dumper(yaml.SafeDumper):
    """Writes every text in double quotes that any parser could take for something else, and nothing twice by name."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def documents(*found: Mapping[str, Any]) -> str:
    """Return mappings as the documents of one YAML file, their keys in the order given.

    Examples
    --------
    >>> print(documents({"country": "no", "rate": "1e3", "count": 3, "words": ["on", "a b"]}))
    country: "no"
    rate: "1e3"
    count: 3
    words:
      - "on"
      - "a b"
    <BLANKLINE>
    """
    return str(yaml.dump_all(found, Dumper=_Dumper, sort_keys=False, width=float("inf"), default_flow_style=False))
