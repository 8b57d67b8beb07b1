"""Drift: has the data moved away from its reference, by enough to matter?

A column has drifted only when the difference is both unlikely to be chance (a test, corrected for the number of
columns) and large enough to matter (an effect size over a threshold). With many rows every difference is
"significant"; with few rows every effect is noise: either alone cries wolf.

Copied into every bundle that checks drift: standard library at load, relative imports only.
"""

from __future__ import annotations

from .check import check
from .correction import Correction
from .findings import Bars, Bins, ColumnDrift, DriftFinding, DriftVerdict, IncomparableDataError, Kind
from .gate import DriftFoundError, check_drift, untested
from .profile import Profile, profile
from .report import DriftReport

__all__ = [
    "Bars",
    "Bins",
    "ColumnDrift",
    "Correction",
    "DriftFinding",
    "DriftFoundError",
    "DriftReport",
    "DriftVerdict",
    "IncomparableDataError",
    "Kind",
    "Profile",
    "check",
    "check_drift",
    "profile",
    "untested",
]
