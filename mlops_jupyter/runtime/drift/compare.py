"""Comparison of one column on both sides: whether it is tested, what the tests say, how large the difference is."""

from __future__ import annotations

import math
from dataclasses import replace

from .columns import Column
from .distances import kolmogorov_smirnov, kolmogorov_smirnov_p, wasserstein
from .distributions import distributions, shift
from .findings import ColumnDrift, DriftFinding, DriftVerdict, Kind
from .levels import Levels, appeared, homogeneity, jensen_shannon, pooled
from .numbers import Numbers

LEAST_VALUES = 5
"""With fewer values on a side no test can tell: even the largest difference may be chance."""

TIME_PASSED = "all of it is later than the reference: time has passed"


def compare(before: Column, after: Column, threshold: float, forced: bool) -> ColumnDrift:
    """Return the findings on one column. Correction, significance and verdict follow when all columns are known."""
    values = None
    reason = "" if forced else _passed_over(before, after)
    if not reason:
        values, reason = _values(before, after, threshold)
    missing = _missing(before, after, threshold)
    new: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    if isinstance(before.sample, Levels) and isinstance(after.sample, Levels):
        new, vanished = appeared(before.sample, after.sample)
    if after.infinite or before.infinite:
        infinite = f"infinite values count as missing: {before.infinite:,} → {after.infinite:,}"
        reason = "; ".join(filter(None, (reason, infinite)))
    return ColumnDrift(
        name=before.name,
        kind=after.kind if before.kind is Kind.EMPTY else before.kind,
        verdict=DriftVerdict.UNTESTED if values is None else DriftVerdict.STABLE,
        values=values,
        missing=missing,
        missing_before=before.missing / before.rows,
        missing_after=after.missing / after.rows,
        shift=shift(before, after),
        new=new,
        vanished=vanished,
        reason=reason,
        picture=distributions(before, after),
    )


def _passed_over(before: Column, after: Column) -> str:
    """Return why a column is left untested unless the user names it; "" if it is tested anyway."""
    if before.key and after.key:
        return "it names rows, every value differs"
    left, right = before.sample, after.sample
    if before.kind is Kind.DATETIME and isinstance(left, Numbers) and isinstance(right, Numbers):
        return TIME_PASSED if right.values[0] > left.values[-1] else ""
    return ""


def _values(before: Column, after: Column, threshold: float) -> tuple[DriftFinding | None, str]:
    """Return (the finding on the present values, ""), or (None, the reason) if they cannot be tested."""
    if Kind.OTHER in (before.kind, after.kind):
        return None, "its values cannot be compared (lists, mixed objects)"
    for side, column in (("reference", before), ("current data", after)):
        if column.rows - column.missing < LEAST_VALUES:
            count = column.rows - column.missing
            return None, f"only {count} value{'s' * (count != 1)} in the {side}, {LEAST_VALUES} are needed"
    if isinstance(before.sample, Numbers) and isinstance(after.sample, Numbers):
        return _numbers(before.sample, after.sample, threshold, before.kind), ""
    if isinstance(before.sample, Levels) and isinstance(after.sample, Levels):
        return _levels(before.sample, after.sample, threshold), ""
    return None, "nothing to compare"


def _numbers(before: Numbers, after: Numbers, threshold: float, kind: Kind) -> DriftFinding:
    distance = kolmogorov_smirnov(before, after)
    effect, measure = wasserstein(before, after), "Wasserstein / scale"
    if effect == math.inf:  # a constant has no scale; the distance is the share of rows that left it
        effect, measure = distance, "share that differs"
    test = "Kolmogorov-Smirnov" + " on lengths" * (kind is Kind.TEXT)
    return DriftFinding(
        test, distance, kolmogorov_smirnov_p(distance, before.size, after.size), measure, effect, threshold
    )


def _levels(before: Levels, after: Levels, threshold: float) -> DriftFinding:
    rows = pooled(before, after)
    return DriftFinding(*homogeneity(*rows), "Jensen-Shannon", jensen_shannon(*rows), threshold)


def _missing(before: Column, after: Column, threshold: float) -> DriftFinding | None:
    if not before.missing + after.missing or min(before.rows, after.rows) < LEAST_VALUES:
        return None
    left, right = (Levels({"there": c.rows - c.missing, "missing": c.missing}) for c in (before, after))
    finding = _levels(left, right, threshold)
    return replace(finding, test=f"{finding.test} on missing")
