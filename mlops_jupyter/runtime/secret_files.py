"""Find the secrets that files of settings hold, so that no copy of such a file is made.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .secret_values import DISTINCT, FORMS, is_called_secret, texts_of

SETTINGS_FILES = frozenset(
    {".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml", ".json", ".env", ".properties", ".netrc"}
)
"""Endings of files in which programs keep settings, and with them passwords."""

SETTINGS_BYTES = 256 * 2**10
"""Size in bytes above which a file is one of data."""

ENTRIES = re.compile(
    r"""^[ \t{,]*(?:export[ \t]+)?["']?([\w.-]+)["']?[ \t]*[:=][ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#;,}]+))""", re.M
)
"""The entries of a file of settings, `key = value` or `"key": "value"`: the key, and the value in one of 3 groups."""


def secret_entries(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (key, value) of each secret in a file of settings; ("<name of the file>", line) for a private key."""
    kind = PurePosixPath(path.name.lower())
    if kind.suffix not in SETTINGS_FILES and not kind.name.startswith(".") and kind.suffix not in (".pem", ".key"):
        return
    try:
        text = path.read_text() if path.stat().st_size <= SETTINGS_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return
    if "PRIVATE KEY-----" in text:
        yield from ((path.name, line) for line in text.splitlines() if len(line) >= 32)
    for key, value in _entries(kind.suffix, text):
        if DISTINCT(value) and (FORMS.search(value) or (_is_key(key, value) and len(value.split()) == 1)):
            yield key, value
    if kind.name.endswith("netrc"):
        yield from (("password", value) for value in re.findall(r"\bpassword\s+(\S+)", text))
    if kind.name == ".pgpass":
        yield from (("password", line.rsplit(":", 1)[-1]) for line in text.splitlines() if line.count(":") >= 4)


def _entries(suffix: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of each entry of a file of settings, however deep it lies."""
    try:
        if suffix == ".json":
            yield from texts_of("", json.loads(text))
            return
        if suffix == ".toml":
            yield from texts_of("", tomllib.loads(text))
            return
    except (ValueError, RecursionError):  # damaged, or with comments: read as lines
        pass
    for key, *values in ENTRIES.findall(text):
        yield key, next(filter(None, values), "")


def _is_key(key: str, value: str) -> bool:
    return is_called_secret(key) or (key.lower() == "token" and len(value) >= 16)


def holds_secrets(path: Path) -> bool:
    """Say whether a file of settings holds secrets, so that it may not travel."""
    return any(True for _ in secret_entries(path))
