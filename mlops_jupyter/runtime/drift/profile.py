"""Profiles: a small summary of the data that a model was trained on, to compare later data with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .columns import Column, chosen, frame, read
from .findings import IncomparableDataError, Kind
from .levels import Levels
from .numbers import Numbers, Spread

KEEP_NUMBERS = 256
"""Values kept of a numeric column, with their exact ranks."""

KEEP_LEVELS = 500
"""Categories kept of a categorical column, the most frequent ones."""

FORMAT = 1


@dataclass(frozen=True)
class Profile:
    """A summary of a frame: about 8 kB a numeric column at most, whatever the number of rows.

    What is approximate when it stands for the reference: the Kolmogorov-Smirnov statistic of a column with more than
    256 different values may be too small by 0.005; Wasserstein distances and pictures interpolate between the kept
    values; of more than 500 categories the rare ones count as one, and new categories are then not named. Everything
    else is exact.

    Attributes
    ----------
    columns : one summary a column, in the frame's order.
    rows : rows of the frame.
    """

    columns: tuple[Column, ...]
    rows: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        return self.columns[self.names.index(name)]

    def to_json(self) -> str:
        """Return the profile as JSON text. `Profile.from_json` reads it back, equal number for number."""
        return json.dumps({"drift_profile": FORMAT, "rows": self.rows, "columns": [_written(c) for c in self.columns]})

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """Return the profile of a text that `to_json` wrote; raise `IncomparableDataError` for any other text."""
        try:
            facts = json.loads(text)
            if facts["drift_profile"] != FORMAT:
                raise IncomparableDataError(
                    f"the profile has format {facts['drift_profile']!r}, this version reads {FORMAT}: make it again"
                )
            return cls(tuple(_column(raw) for raw in facts["columns"]), int(facts["rows"]))
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise IncomparableDataError(
                "this is not a drift profile: make one with profile(frame).to_json()"
            ) from fault


def profile(data: object, columns: list[str] | None = None) -> Profile:
    """Return the profile of a frame, which is read one column at a time.

    Raises
    ------
    IncomparableDataError
        Not a frame, no rows, columns of the same name, or a column that does not exist.

    Examples
    --------
    >>> import pandas as pd
    >>> profile(pd.DataFrame({"age": [20, 30, 40]})).names
    ('age',)
    """
    table = frame(data, "reference")
    available = [str(name) for name in table.columns]
    names, _ = chosen(columns, available, available)
    return Profile(tuple(_thin(read(table, name)) for name in names), len(table))


def _thin(column: Column) -> Column:
    if isinstance(column.sample, Numbers):
        return replace(column, sample=column.sample.thin(KEEP_NUMBERS))
    if isinstance(column.sample, Levels):
        return replace(column, sample=column.sample.thin(KEEP_LEVELS))
    return column


def _written(column: Column) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": column.name,
        "kind": column.kind.value,
        "rows": column.rows,
        "missing": column.missing,
        "infinite": column.infinite,
        "key": column.key,
    }
    if isinstance(column.sample, Levels):
        facts["levels"] = {"counts": dict(column.sample.counts), "rest": column.sample.rest}
    elif isinstance(column.sample, Numbers) and column.sample.spread:
        sample, width = column.sample, column.sample.spread
        facts["numbers"] = {key: getattr(sample, key).tolist() for key in ("values", "below", "upto")} | {
            "size": sample.size,
            "spread": [width.scale, width.low, width.high],
        }
    return facts


def _column(raw: dict[str, Any]) -> Column:
    return Column(
        name=str(raw["name"]),
        kind=Kind(raw["kind"]),
        sample=next(_samples(raw), None),
        rows=int(raw["rows"]),
        missing=int(raw["missing"]),
        infinite=int(raw["infinite"]),
        key=bool(raw["key"]),
    )


def _samples(raw: dict[str, Any]) -> Iterator[Numbers | Levels]:
    import numpy as np

    if "levels" in raw:
        yield Levels({str(k): int(v) for k, v in raw["levels"]["counts"].items()}, int(raw["levels"]["rest"]))
    if "numbers" in raw:
        kept = raw["numbers"]
        values = np.array(kept["values"], dtype=np.float64)
        below, upto = (np.array(kept[key], dtype=np.int64) for key in ("below", "upto"))
        yield Numbers(values, below, upto, int(kept["size"]), Spread(*map(float, kept["spread"])))
