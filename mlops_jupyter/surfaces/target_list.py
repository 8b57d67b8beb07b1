"""The targets that are installed, as rows and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.tables import aligned
from mlops_jupyter.services.export import targets
from mlops_jupyter.services.export.targets import Feature

NARROWEST = 20
"""So many columns a list has to itself, however narrow the terminal."""


def rows() -> list[dict[str, Any]]:
    """Return of each target its name, its title, what it can say and what not; of a broken one its `fault`."""
    return [_row(name) for name in targets.names()]


def _row(name: str) -> dict[str, Any]:
    try:
        target = targets.find(name)
    except UserError as fault:
        return {"name": name, "title": "", "expresses": [], "lacks": [], "fault": str(fault)}
    said = {has: [f.value for f in Feature if (f in target.expresses) == has] for has in (True, False)}
    return {"name": name, "title": target.title, "expresses": said[True], "lacks": said[False]}


def text(rows: Sequence[Mapping[str, Any]], width: int) -> str:
    """Return the rows as text: name, title, then what each can say, in lines of a width."""
    table: list[tuple[str, str, str]] = []
    names = max((len(row["name"]) for row in rows), default=0) + 2
    titles = max((len(row["title"]) for row in rows), default=0) + 2
    room = max(width - names - titles, NARROWEST)
    for row in rows:
        told = (
            [row["fault"]] if row.get("fault") else [", ".join(row["expresses"]) or "the steps alone, in one command"]
        )
        if row["lacks"]:
            told.append(f"not: {', '.join(row['lacks'])}")
        wrapped = [line for part in told for line in textwrap.wrap(part, room, subsequent_indent="  ")]
        for number, line in enumerate(wrapped):
            table.append((row["name"], row["title"], line) if number == 0 else ("", "", line))
    return aligned(table)
