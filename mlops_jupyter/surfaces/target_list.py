"""The installed export targets, as rows and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.tables import aligned
from mlops_jupyter.services.export import targets
from mlops_jupyter.services.export.targets import Feature

NARROWEST = 20
"""Columns that the list of features has at least, however narrow the terminal is."""


def rows() -> list[dict[str, Any]]:
    """Return a row per target: `name`, `title`, the features it `expresses` and `lacks`; a `fault` if it is broken."""
    return [_row(name) for name in targets.names()]


def _row(name: str) -> dict[str, Any]:
    try:
        target = targets.find(name)
    except UserError as fault:
        return {"name": name, "title": "", "expresses": [], "lacks": [], "fault": str(fault)}
    features = {has: [f.value for f in Feature if (f in target.expresses) == has] for has in (True, False)}
    return {"name": name, "title": target.title, "expresses": features[True], "lacks": features[False]}


def text(rows: Sequence[Mapping[str, Any]], width: int) -> str:
    """Return the rows as text for a terminal of `width` columns: name, title, then what each target can express."""
    table: list[tuple[str, str, str]] = []
    name_width = max((len(row["name"]) for row in rows), default=0) + 2
    title_width = max((len(row["title"]) for row in rows), default=0) + 2
    list_width = max(width - name_width - title_width, NARROWEST)
    for row in rows:
        parts = (
            [row["fault"]] if row.get("fault") else [", ".join(row["expresses"]) or "the steps alone, in one command"]
        )
        if row["lacks"]:
            parts.append(f"not: {', '.join(row['lacks'])}")
        wrapped = [line for part in parts for line in textwrap.wrap(part, list_width, subsequent_indent="  ")]
        for number, line in enumerate(wrapped):
            table.append((row["name"], row["title"], line) if number == 0 else ("", "", line))
    return aligned(table)
