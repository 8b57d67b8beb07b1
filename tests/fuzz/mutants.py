"""Mutants of files and lines: the same for the same seed."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any

COUNT = int(os.environ.get("FUZZ", "500"))
"""Mutants of each kind; `FUZZ=2000` for a longer look."""

STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    10**30,
    "",
    "x" * 5000,
    "../../../etc/passwd",
    "a\0b",
    "\ud800",
    "\u202e",
    "'",
    '"',
    "{x}",
    "$(x)",
    [],
    {},
    [[]],
    {"": None},
    "NaN",
)
TOKENS = (
    "'",
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    "(",
    "%",
    "!",
    "#",
    "-",
    "--",
    "=",
    ",",
    "\n",
    "\t",
    "\0",
    "é",
    "\u202e",
    ":",
)


def of_json(text: str, kind: str, count: int = COUNT) -> Iterator[str]:
    """Yield JSON texts like a given one: an item replaced, deleted, doubled or moved; some are no JSON any more."""
    for number in range(count):
        chance = random.Random(f"{kind}{number}")
        if number % 10 == 9:
            yield of_text(text, chance)
            continue
        value = json.loads(text)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            value = _edited(value, chance)
        yield json.dumps(value)


def of_lines(lines: list[str], kind: str, count: int = COUNT) -> Iterator[str]:
    """Yield lines like given ones, with tokens put in, taken out and mixed."""
    for number in range(count):
        chance = random.Random(f"{kind}{number}")
        yield of_text(chance.choice(lines), chance).replace("\n", " ")


def of_text(text: str, chance: random.Random) -> str:
    """Return a text with some of its pieces dropped, doubled, or replaced by tokens that mean something."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(text))
        end = min(len(text), at + chance.choice((0, 1, 1, 3, 20)))
        text = text[:at] + chance.choice((*TOKENS, "", text[at:end] * 2, "x" * 300)) + text[end:]
    return text


def _edited(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with one of its items changed; which one, chance decides."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    if not inner or chance.random() < 0.15:
        return chance.choice(STRANGE)
    key, item = chance.choice(inner)
    if chance.random() < 0.2:
        if isinstance(value, dict):
            return {k: v for k, v in inner if k != key}
        return [v for _, v in inner if v is not item] + chance.choice(([], [item, item]))
    changed = _edited(item, chance)
    if isinstance(value, dict):
        return {**value, key: changed}
    return [changed if place == key else v for place, v in inner]
