"""Comparison of an expected value with an actual one, with a reason in words that says where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..codecs.figures import drawn, picture
from ..fingerprints.fingerprint import Unfingerprintable, fingerprint
from .diff.differ import Differ
from .diff.findings import Differences, DivergenceError
from .diff.messages import shown

__all__ = ["WALL_CLOCK", "Comparison", "ComparisonStatus", "compare", "shown"]

WALL_CLOCK = (
    "mean_fit_time",  # cv_results_ of sklearn's searches
    "std_fit_time",
    "mean_score_time",
    "std_score_time",
    "refit_time_",
    "fit_time",  # cross_validate
    "score_time",
    "predict_time",
    "*'fit_time'*",  # skore's reports have it in their keys
    "*'predict_time'*",
    "_init_prev_time",  # sklearn.mixture, verbose
    "_iter_prev_time",
    "total_*_time",  # growers of histogram gradient boosting
)
"""Names of fields that hold how long something took: they differ from run to run and mean nothing for the result."""


class ComparisonStatus(Enum):
    """How two values compare."""

    IDENTICAL = "identical"
    """The same fingerprint."""
    CLOSE = "close"
    """Only floats differ, within tolerance, or only timings or caches, or a number changed its type, not its value."""
    DIFFERS = "differs"
    """Anything else."""


@dataclass(frozen=True)
class Comparison:
    """The verdict on two values.

    Attributes
    ----------
    status : identical, close or differs.
    reason : "" if identical; the largest difference and where, if close; the first place where they differ, if not.
    """

    status: ComparisonStatus
    reason: str = ""


def compare(
    expected: object, actual: object, *, rtol: float = 1e-6, atol: float = 1e-9, ignore: tuple[str, ...] = WALL_CLOCK
) -> Comparison:
    """Compare two values: types, shapes, labels, then values. Never raises.

    Floats are close where ``|expected - actual| <= atol + rtol * |expected|`` (numpy.isclose, expected as the
    reference). Objects are compared by the state that pickling would keep.

    Parameters
    ----------
    ignore : patterns (`fnmatch`) of names, or of whole paths joined by dots (``cv_results_.mean_fit_time``), where
        a difference does not count.

    Examples
    --------
    >>> compare({"auc": 0.81}, {"auc": 0.79})
    Comparison(status=<ComparisonStatus.DIFFERS: 'differs'>, reason="['auc']: 0.81 became 0.79")
    >>> compare([1.0, 2.0], [1.0, 2.0 + 1e-12]).status
    <ComparisonStatus.CLOSE: 'close'>
    """
    findings = Differences(rtol, atol, ignore)
    try:
        expected, actual = (picture(one) if drawn(one) else one for one in (expected, actual))
        before = fingerprint(expected)
        if not isinstance(before, Unfingerprintable) and before == fingerprint(actual):
            return Comparison(ComparisonStatus.IDENTICAL)
        if _is_png(expected):
            return Comparison(ComparisonStatus.DIFFERS, "it is drawn differently")
        Differ(findings).compare((), expected, actual)
    except DivergenceError as place:
        return Comparison(ComparisonStatus.DIFFERS, str(place))
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # a value's own code may raise anything
        return Comparison(ComparisonStatus.DIFFERS, f"cannot be compared: {type(fault).__name__} while reading it")
    tolerated = (findings.near, findings.retyped, findings.ignored, findings.drawn, findings.passing, findings.computed)
    if any(tolerated):
        return Comparison(ComparisonStatus.CLOSE, findings.reason())
    if isinstance(before, Unfingerprintable):
        return Comparison(ComparisonStatus.DIFFERS, f"cannot be compared: {before.reason}")
    return Comparison(ComparisonStatus.DIFFERS, f"{shown(expected)} changed, in a part that is only seen as a whole")


def _is_png(value: object) -> bool:
    """Return whether a value is a PNG file: figures, and what lies on one, are kept and compared as pictures."""
    return isinstance(value, bytes) and value.startswith(b"\x89PNG")
