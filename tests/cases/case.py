"""One row of the dataflow tables: a cell's text, and exactly what its facts must say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from mlops_jupyter.analysis.facts.extract import extract_facts


@dataclass(frozen=True)
class Case:
    """Names stand in one string, apart by spaces. `sure` is what `writes` is where it is not given."""

    name: str
    source: str
    reads: str = ""
    writes: str = ""
    sure: str | None = None
    deletes: str = ""
    late: Mapping[str, str] = field(default_factory=dict)
    deferred_writes: Mapping[str, str] = field(default_factory=dict)

    def found(self) -> dict[str, object]:
        """What the facts say."""
        found = extract_facts(self.source)
        return {
            "reads": found.reads,
            "writes": found.writes,
            "sure": found.definite_writes,
            "deletes": found.deletes,
            "late": found.deferred_reads,
            "late writes": found.deferred_writes,
        }

    def expected(self) -> dict[str, object]:
        """What the row says."""
        return {
            "reads": _names(self.reads),
            "writes": _names(self.writes),
            "sure": _names(self.writes if self.sure is None else self.sure),
            "deletes": _names(self.deletes),
            "late": {name: _names(reads) for name, reads in self.late.items()},
            "late writes": {name: _names(writes) for name, writes in self.deferred_writes.items()},
        }


def rows(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Make a test of each row. Two rows of one name are a mistake in the table."""
    assert len({case.name for case in cases}) == len(cases)
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())
