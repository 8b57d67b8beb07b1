"""The drift service: compare data with a reference, and record the verdict in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_jupyter.runtime.drift import DriftReport, check

if TYPE_CHECKING:
    from mlops_jupyter.store.ledger import Ledger

NAMED = 50
"""How many drifted columns an audit entry names at most."""


class Drift:
    """Compares data with a reference. Stores no data, only the verdict, in the audit log under the verb "drift"."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def check(self, reference: object, current: object, *, subject: str = "", **options: Any) -> DriftReport:
        """Compare current data with a reference and record the verdict.

        Parameters
        ----------
        reference, current, **options : as in `mlops_jupyter.runtime.drift.check`.
        subject : what was compared, in the user's words ("train vs october"); the subject of the audit entry.

        Raises
        ------
        IncomparableDataError
            If the data cannot be compared: one line says why.

        Examples
        --------
        >>> import pandas as pd, tempfile, pathlib
        >>> from mlops_jupyter.store.ledger import Ledger
        >>> drift = Drift(Ledger(pathlib.Path(tempfile.mkdtemp()) / "ledger.db"))
        >>> before = pd.DataFrame({"x": range(100)})
        >>> drift.check(before, before + 90).verdict.value
        'drifted'
        """
        report = check(reference, current, **options)
        self._ledger.audit("drift", subject or "reference vs current", _noted(report))
        return report


def _noted(report: DriftReport) -> dict[str, Any]:
    return {
        "verdict": report.verdict.value,
        "drifted": {column.name: round(column.effect, 6) for column in report.drifted[:NAMED]},
        "drifted_share": report.drifted_share,
        "columns": len(report.columns),
        "rows": [report.rows_before, report.rows_after],
        "alpha": report.alpha,
        "threshold": report.threshold,
        "share": report.share,
    }
