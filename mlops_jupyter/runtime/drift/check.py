"""The check: each column's findings, then one correction over all of them, then the verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .columns import chosen, frame, read
from .compare import compare
from .correction import Correction, adjust
from .findings import ColumnDrift, DriftFinding, DriftVerdict, IncomparableDataError
from .profile import Profile
from .report import DriftReport


def check(
    reference: object,
    current: object,
    *,
    columns: Sequence[str] | str | None = None,
    alpha: float = 0.05,
    share: float = 0.5,
    threshold: float = 0.1,
    correction: Correction | str = Correction.BENJAMINI_HOCHBERG,
) -> DriftReport:
    """Compare current data with a reference, column by column.

    A column has drifted when a difference is significant (its p-value, corrected for all tests, is at most `alpha`)
    **and** matters (its effect size is at least `threshold`). Its values and its missing share are tested apart.

    =================== ==================================== ==============================================
    kind                test                                 effect size
    =================== ==================================== ==============================================
    numeric             Kolmogorov-Smirnov (Smirnov 1948)    Wasserstein distance / scale of the reference
    datetime            the same, on time                    the same
    text                the same, on lengths                 the same
    categorical,        chi-square (Pearson 1900), Fisher    Jensen-Shannon distance (Lin 1991), less the
    boolean             (1922) where rows are few            part that sampling alone gives
    missing share       as for two categories                as for two categories
    =================== ==================================== ==============================================

    Left untested, with the reason: a column with fewer than 5 values on a side; datetimes that all come after the
    reference's (time has passed, that is no drift) and columns that only name rows (an "id" whose values all differ).
    Naming such a column in `columns` has it tested all the same.

    Parameters
    ----------
    reference, current : pandas frames (or what has `to_pandas`) with rows; the reference may be a `Profile`.
        They may differ in column order, dtypes of the same kind, and extra columns (noted).
    columns : the columns to compare; all of the reference's if None.
    alpha : allowed chance of a false alarm over all columns, between 0 and 1.
    share : share of tested columns that must drift for the whole to have drifted, 0 (any column) to 1.
    threshold : the least effect that matters. 0.1 is a mean moved by a tenth of a standard deviation (half of what
        Cohen 1988 calls small), 55:45 of two categories becoming 41:59, or 2 % missing where nothing was; the
        default of Evidently for both measures too.
    correction : "benjamini-hochberg", "bonferroni" or "none".

    Raises
    ------
    IncomparableDataError
        One line: not a frame, no rows, the same object twice, columns missing or of other kinds, bad options.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"x": range(1000)})
    >>> check(before, before + 500).drifted[0].name
    'x'
    """
    chosen_correction = _options(alpha, share, threshold, correction)
    if reference is current:
        raise IncomparableDataError("reference and current are the same object: compare two samples")
    before = reference if isinstance(reference, Profile) else frame(reference, "reference")
    after = frame(current, "current")
    names_before = before.names if isinstance(before, Profile) else [str(name) for name in before.columns]
    names, extra = chosen(columns, names_before, [str(name) for name in after.columns])
    compared = []
    for name in names:  # one column of each side in memory at a time
        left = before[name] if isinstance(before, Profile) else read(before, name)
        compared.append(compare(left, read(after, name, left.kind), threshold, forced=columns is not None))
    judged = _judge(compared, alpha, chosen_correction)
    notes = []
    if extra and columns is None:
        notes.append(f"only the current data has {', '.join(map(repr, extra))}: not compared")
    if isinstance(before, Profile):
        notes.append("the reference is a profile: its statistics are approximate, to 0.005")
    rows = before.rows if isinstance(before, Profile) else len(before)
    whole = _whole(judged, share)
    return DriftReport(whole, judged, alpha, threshold, share, chosen_correction.value, rows, len(after), tuple(notes))


def _options(alpha: float, share: float, threshold: float, correction: Correction | str) -> Correction:
    if not 0 < alpha < 1:
        raise IncomparableDataError(f"alpha is {alpha!r}: give a number between 0 and 1, such as 0.05")
    if not 0 <= share <= 1:
        raise IncomparableDataError(f"share is {share!r}: give a number from 0 (any column) to 1 (all columns)")
    if not 0 < threshold < math.inf:
        raise IncomparableDataError(f"threshold is {threshold!r}: give a number above 0, such as 0.1")
    try:
        return Correction(correction)
    except ValueError:
        known = ", ".join(c.value for c in Correction)
        raise IncomparableDataError(f"there is no correction {correction!r}: choose one of {known}") from None


def _judge(found: Sequence[ColumnDrift], alpha: float, correction: Correction) -> tuple[ColumnDrift, ...]:
    """Return the columns with their verdicts, after correcting all p-values of the check together."""
    adjusted = iter(adjust([f.p_value for c in found for f in (c.values, c.missing) if f], correction))

    def settled() -> Iterator[ColumnDrift]:
        for column in found:
            values, missing = (
                _settle(f, next(adjusted), alpha) if f else None for f in (column.values, column.missing)
            )
            drifted = any(f.drifted for f in (values, missing) if f)
            yield replace(
                column, values=values, missing=missing, verdict=DriftVerdict.DRIFTED if drifted else column.verdict
            )

    return tuple(settled())


def _settle(finding: DriftFinding, adjusted: float, alpha: float) -> DriftFinding:
    return replace(finding, adjusted=adjusted, significant=adjusted <= alpha)


def _whole(columns: Sequence[ColumnDrift], share: float) -> DriftVerdict:
    tested = [c for c in columns if c.verdict is not DriftVerdict.UNTESTED]
    drifted = [c for c in tested if c.verdict is DriftVerdict.DRIFTED]
    if not tested:
        return DriftVerdict.UNTESTED
    return DriftVerdict.DRIFTED if drifted and len(drifted) >= share * len(tested) else DriftVerdict.STABLE
