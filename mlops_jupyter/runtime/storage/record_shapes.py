"""The shapes of a store's JSON records. One of another shape counts as absent: somebody damaged it, or made it up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Shape = Mapping[str, Callable[[object], bool]]
"""Key of a JSON object -> whether a value is one for it; a missing key has the value None."""


def is_file_name(value: object) -> bool:
    """Say whether a value can be the name of a file in a folder of a run, and leads nowhere else."""
    if not isinstance(value, str) or value in (".", "..") or re.search(r"[\0/\\\ud800-\udfff]", value):
        return False
    return 0 < len(value.encode()) < 256


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_count(value: object) -> bool:
    return type(value) is int


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _or_none(is_valid: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or is_valid(value)


OBJECT: Shape = {"digest": _is_digest, "bytes": _is_count}
ARTIFACT: Shape = {**OBJECT, "names": _are_texts, "format": _is_text}
OUTPUT: Shape = {
    **{"name": _is_text, "file": is_file_name, "format": _is_text},
    **{"digest": _or_none(_is_digest), "fingerprint": _or_none(_is_text)},  # an index of an earlier version has none
}
DELIVERED: Shape = {**OUTPUT, **OBJECT}
DISPLAY: Shape = {**OBJECT, "file": is_file_name}
ERROR: Shape = {"type": _is_text, "message": _is_text}


def _are(items: object, shape: Shape) -> bool:
    """Say whether something is a list of JSON objects of a shape."""
    return isinstance(items, list) and all(
        isinstance(item, dict) and all(is_valid(item.get(key)) for key, is_valid in shape.items()) for item in items
    )


def lists_objects(facts: Mapping[str, Any]) -> bool:
    """Say whether a record names the objects of a step as a store writes them."""
    tracking = facts.get("tracking")
    return (
        _are(facts.get("outputs"), ARTIFACT)
        and _are(facts.get("delivered"), DELIVERED)
        and _are(facts.get("displays", []), DISPLAY)
        and (tracking is None or _are([tracking], OBJECT))
        and isinstance(facts.get("files", {}), dict)
        and isinstance(facts.get("volatile", []), list)
    )


def is_step(facts: Mapping[str, Any]) -> bool:
    """Say whether a step's record is one; that of a failed step names no objects, but an error."""
    if not _is_text(facts.get("step")) or not _is_text(facts.get("status")):
        return False
    return _are([facts.get("error")], ERROR) if facts["status"] == "failed" else lists_objects(facts)


def is_run(facts: Mapping[str, Any]) -> bool:
    """Say whether a run's record is one."""
    times = (facts.get("started"), facts.get("ended"))
    return _is_text(facts.get("status")) and all(isinstance(time, float | int | None) for time in times)


def is_index(facts: Mapping[str, Any]) -> bool:
    """Say whether an index of delivered outputs is one."""
    return _are(facts.get("outputs"), OUTPUT)
