"""Files whose text is fixed but for marks: `@@NAME@@` stands where a part of the plan goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

MARK = re.compile("@@([A-Z]+)@@")


def filled(package: str, file: str, parts: Mapping[str, str]) -> str:
    """Return a frame with its marks replaced, in one pass: a mark inside of what was put in is left alone.

    ``@@CALLER@@`` and ``@@WAITER@@`` are there for all: what calls the bundle's own command, and waits for it.

    Parameters
    ----------
    package, file : where the frame lies.
    parts : mark -> source, made of literals and names alone.
    """
    frame = _text(package, file)
    for shared in ("CALLER", "WAITER"):
        if f"@@{shared}@@\n" in frame:
            frame = frame.replace(f"@@{shared}@@\n", _text(__package__, f"{shared.lower()}.txt"))
    return MARK.sub(lambda mark: parts[mark[1]], frame)


def _text(package: str, file: str) -> str:
    return resources.files(package).joinpath(file).read_text(encoding="utf-8")
