"""The findings of a drift check on each column."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..errors import UserError


class IncomparableDataError(UserError):
    """The data cannot be compared: one line that says which data and what to do."""


class DriftVerdict(Enum):
    """The verdict on a column, or on a whole frame."""

    STABLE = "stable"  # no difference that is both significant and large enough
    DRIFTED = "drifted"  # significant after correction, and over the threshold
    UNTESTED = "untested"  # nothing could be said; the reason stands beside it


class Kind(Enum):
    """What a column holds, as far as it matters for comparing it. The reference decides."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"  # strings that mostly differ from each other: their lengths are compared
    EMPTY = "empty"  # no value at all
    OTHER = "other"  # lists, arrays, complex numbers: only their missing share is compared


@dataclass(frozen=True)
class DriftFinding:
    """One test on one column: of its values, or of its missing share.

    Attributes
    ----------
    test : name of the significance test.
    statistic, p_value : its outcome, before correction.
    adjusted : the p-value after correction for all tests of the check; compare this one with alpha.
    measure : name of the effect size.
    effect : how large the difference is, >= 0; 0 means none beyond what sampling gives.
    threshold : the least effect that matters.
    significant : whether `adjusted` is at most alpha.
    """

    test: str
    statistic: float
    p_value: float
    measure: str
    effect: float
    threshold: float
    adjusted: float = 1.0
    significant: bool = False

    @property
    def drifted(self) -> bool:
        """Whether the difference is both significant and large enough to matter."""
        return self.significant and self.effect >= self.threshold

    @property
    def chance(self) -> str:
        """The corrected p-value, for people: below 0.0001 its size says nothing more."""
        return f"{self.adjusted:.2g}" if self.adjusted >= 1e-4 else "<0.0001"


@dataclass(frozen=True)
class Bins:
    """A distribution of numbers in shared bins; values beyond the first and last edge count in the end bins.

    Attributes
    ----------
    edges : len(before) + 1 ascending numbers; seconds since 1970 where `dates`.
    before, after : rows in each bin.
    """

    edges: tuple[float, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    dates: bool = False


@dataclass(frozen=True)
class Bars:
    """A distribution over categories; the rare ones are summed under the last label, "(other)"."""

    labels: tuple[str, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class ColumnDrift:
    """The findings on one column.

    Attributes
    ----------
    values : the finding on the values that are present; None where they were not tested.
    missing : the finding on the missing share; None where nothing is missing on either side.
    missing_before, missing_after : share of rows, 0 to 1. Infinite numbers count as missing.
    shift : the difference in words ("median 34 → 41").
    new, vanished : categories that one side has and the other lacks, the most frequent first, at most ten.
    reason : why the column is untested, or what else the reader should know.
    picture : the two distributions, ready to draw.
    """

    name: str
    kind: Kind
    verdict: DriftVerdict
    values: DriftFinding | None = None
    missing: DriftFinding | None = None
    missing_before: float = 0.0
    missing_after: float = 0.0
    shift: str = ""
    new: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    reason: str = ""
    picture: Bins | Bars | None = None

    @property
    def finding(self) -> DriftFinding | None:
        """The finding that decides: the drifted one with the largest effect, else that on the values."""
        drifted = [f for f in (self.values, self.missing) if f is not None and f.drifted]
        return max(drifted, key=lambda f: f.effect / f.threshold) if drifted else self.values

    @property
    def effect(self) -> float:
        """Effect size of the deciding finding; 0 where there is none."""
        return self.finding.effect if self.finding else 0.0

    @property
    def gaps(self) -> str:
        """The missing share before and after, in words; "" where nothing is missing."""
        return (
            f"{self.missing_before:.1%} → {self.missing_after:.1%}" if self.missing_before + self.missing_after else ""
        )

    @property
    def changed(self) -> str:
        """What changed, in words: the deciding difference first, then `reason`."""
        decided = f"missing {self.gaps}" if self.finding and self.finding is self.missing else self.shift
        return "; ".join(part for part in (decided if self.finding else "", self.reason) if part)
