"""A drift check inside a run: its numbers are logged, and the run stops when the data has moved away."""

from __future__ import annotations

import re
from typing import Any

from ..errors import UserError
from .check import check
from .findings import DriftVerdict, IncomparableDataError
from .report import DriftReport


class DriftFoundError(UserError):
    """The data has drifted and the run must stop: one line with the columns and their effect sizes."""


def check_drift(reference: object, current: object, *, warn: bool = False, **options: Any) -> DriftReport:
    """Check drift as `check` does, print and log the outcome, and stop the run if the data has drifted.

    Parameters
    ----------
    reference, current, **options : as in `check`.
    warn : only print and log; never stop.

    Raises
    ------
    DriftFoundError
        The whole frame has drifted and `warn` is not set.
    IncomparableDataError
        The data cannot be compared, or no column could be tested and `warn` is not set:
        untested data cannot pass the gate.
    """
    report = check(reference, current, **options)
    print(report)
    _log(report)
    if report.verdict is DriftVerdict.UNTESTED and not warn:
        raise IncomparableDataError(untested(report))
    if report.verdict is DriftVerdict.DRIFTED and not warn:
        raise DriftFoundError(_line(report))
    return report


def untested(report: DriftReport) -> str:
    """Return in one line why no column of a report could be tested."""
    reasons = "; ".join(f"{column.name!r}: {column.reason}" for column in report.columns[:5])
    return f"no column could be tested ({reasons}): give more rows, or other columns"


def _line(report: DriftReport) -> str:
    named = ", ".join(f"{column.name} {column.effect:.2f}" for column in report.drifted[:8])
    more = len(report.drifted) - 8
    counted = f"{len(report.drifted)} of {len(report.columns)} columns, effect over {report.threshold:g}"
    named += f" and {more} more" * (more > 0)
    return f"the data has drifted: {counted}: {named}; look at them, retrain on newer data, or only warn"


def _log(report: DriftReport) -> None:
    """Log the report's numbers as metrics of the tracked run."""
    from ..tracking import log_metrics

    metrics = {"drift.share": report.drifted_share, "drift.columns": float(len(report.drifted))}
    log_metrics(metrics | {_key(column.name): column.effect for column in report.columns if column.finding})


def _key(name: str) -> str:
    """Return the name of a column's metric, of at most 250 characters that MLflow takes."""
    return f"drift.{re.sub(r'[^A-Za-z0-9_.: -]', '_', name)[:240].strip() or '_'}"
