"""The report of a drift check on a whole frame, as facts and as plain text."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from ..tables import aligned
from .findings import ColumnDrift, DriftVerdict

HEAD = ("column", "kind", "verdict", "test", "statistic", "p (adj.)", "effect", "limit", "missing", "what changed")


@dataclass(frozen=True, repr=False)
class DriftReport:
    """The findings on a whole frame: each column in the reference's order, and the verdict over all.

    Attributes
    ----------
    verdict : DRIFTED when `drifted_share` reaches `share` and at least one column drifted; UNTESTED when no column
        could be tested.
    alpha : the chance of a false alarm that was allowed, over all columns.
    threshold : the least effect size that matters.
    share : the share of tested columns that must drift for the whole to have drifted.
    correction : how p-values were corrected for the number of tests.
    rows_before, rows_after : sizes of the reference and of the current data.
    notes : what else the reader should know (extra columns, approximations).
    """

    verdict: DriftVerdict
    columns: tuple[ColumnDrift, ...]
    alpha: float
    threshold: float
    share: float
    correction: str
    rows_before: int
    rows_after: int
    notes: tuple[str, ...] = ()

    def of(self, verdict: DriftVerdict) -> tuple[ColumnDrift, ...]:
        """Return the columns with that verdict, the largest effect first."""
        return tuple(sorted((c for c in self.columns if c.verdict is verdict), key=lambda c: -c.effect))

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that drifted, the largest effect first."""
        return self.of(DriftVerdict.DRIFTED)

    @property
    def drifted_share(self) -> float:
        """Drifted columns over tested columns, 0 to 1."""
        tested = sum(c.verdict is not DriftVerdict.UNTESTED for c in self.columns)
        return len(self.drifted) / tested if tested else 0.0

    def __getitem__(self, name: str) -> ColumnDrift:
        """Return the column of that name; raise `KeyError` if it was not compared."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def without_pictures(self) -> DriftReport:
        """Return the same report without the distributions, for callers that keep the verdict alone."""
        return replace(self, columns=tuple(replace(c, picture=None) for c in self.columns))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that `json.dumps` takes: every fact but the pictures."""
        facts: dict[str, Any] = _plain(asdict(self.without_pictures()))
        for column, raw in zip(self.columns, facts["columns"], strict=True):
            del raw["picture"]
            raw["effect"] = column.effect
        return {**facts, "drifted": [c.name for c in self.drifted], "drifted_share": self.drifted_share}

    def headline(self) -> str:
        """Return the verdict in one line."""
        tested = sum(c.verdict is not DriftVerdict.UNTESTED for c in self.columns)
        counted = (
            f"{len(self.drifted)} of {tested} tested columns drifted ({self.drifted_share:.0%}, limit {self.share:.0%})"
        )
        return f"{self.verdict.value}: {counted}; {self.rows_before:,} rows before, {self.rows_after:,} after"

    def __str__(self) -> str:
        table = aligned([HEAD, *map(_row, self.columns)])
        return "\n".join([self.headline(), "", table, *(f"note: {note}" for note in self.notes)])

    __repr__ = __str__


def _row(column: ColumnDrift) -> tuple[str, ...]:
    finding = column.finding
    return (
        column.name if len(column.name) <= 40 else column.name[:39] + "…",
        column.kind.value,
        column.verdict.value,
        finding.test if finding else "",
        f"{finding.statistic:.4g}" if finding else "",
        finding.chance if finding else "",
        f"{finding.effect:.3f}" if finding else "",
        f"{finding.threshold:g}" if finding else "",
        column.gaps,
        column.changed,
    )


def _plain(value: Any) -> Any:
    """Turn enums into their values and tuples into lists, all the way down."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value
