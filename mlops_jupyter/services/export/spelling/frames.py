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
    texts = {"CALLER": _text(__package__, "caller.txt"), "WAITER": _text(__package__, "waiter.txt")}
    frame = _text(package, file)
    for mark, text in texts.items():
        frame = frame.replace(f"@@{mark}@@\n", text)
    return MARK.sub(lambda mark: parts[mark[1]], frame)


def _text(package: str, file: str) -> str:
    return resources.files(package).joinpath(file).read_text(encoding="utf-8")
