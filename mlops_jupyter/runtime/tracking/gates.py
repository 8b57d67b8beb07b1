"""Gates: a model's metrics on held-out data, and the requirements that decide whether it may be registered."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UserError

if TYPE_CHECKING:
    from .tracking_log import TrackedModel

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_REQUIREMENT = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(>=|<=|==|!=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


class GateError(UserError):
    """A model did not meet its requirements, or they cannot be evaluated: one line, with the numbers."""


@dataclass(frozen=True)
class Requirement:
    """A bound on one metric that a model must meet: `accuracy >= 0.9`. NaN meets no requirement."""

    metric: str
    comparison: str
    bound: float

    @classmethod
    def parse(cls, line: str) -> Requirement:
        """Read `METRIC OP NUMBER`; raise `GateError` for anything else.

        Examples
        --------
        >>> Requirement.parse("accuracy >= 0.9")
        Requirement(metric='accuracy', comparison='>=', bound=0.9)
        """
        match = _REQUIREMENT.fullmatch(line)
        if not match:
            raise GateError(
                f"cannot read the requirement {line!r}: write METRIC OP NUMBER with one of "
                f"{' '.join(COMPARISONS)}, as in 'accuracy >= 0.9'"
            )
        return cls(match[1], match[2], float(match[3]))

    def __str__(self) -> str:
        return f"{self.metric} {self.comparison} {self.bound:g}"

    def met(self, metrics: Mapping[str, float]) -> bool:
        """Return whether metrics meet the requirement; raise `GateError` if they lack its metric."""
        if self.metric not in metrics:
            raise GateError(f"no metric {self.metric!r} to require: there are {', '.join(metrics) or 'none'}")
        value = metrics[self.metric]
        return not math.isnan(value) and COMPARISONS[self.comparison](value, self.bound)


def evaluate(model: Any, X: Any, y: Any) -> dict[str, float]:
    """Return a fitted model's metrics on held-out data, by scikit-learn's scorers.

    A classifier has accuracy, precision, recall and f1 (of the greater class where there are two, else averaged over
    classes by their frequency), roc_auc (one against the rest) and log_loss where it gives probabilities; a regressor
    has r2, rmse, mae and mape. Errors and losses are positive: smaller is better. Any other model has no metrics.

    Parameters
    ----------
    X, y : features and targets, of the same length.
    """
    scorers = {"classifier": _of_classifier, "regressor": _of_regressor}.get(kind(model), lambda model: {})(model)
    metrics: dict[str, float] = {}
    for name, (scorer, sign) in scorers.items():
        try:
            metrics[name] = sign * float(scorer(model, X, y))
        except (ValueError, AttributeError) as fault:
            if name in ("roc_auc", "log_loss"):
                continue  # no probabilities, or one class only in y
            raise GateError(f"cannot evaluate {name}: {_line(fault)}") from fault
    return metrics


def kind(model: Any) -> str:
    """Return a model's kind: "classifier", "regressor" or "other"."""
    from sklearn.base import is_classifier, is_regressor

    try:
        return "classifier" if is_classifier(model) else "regressor" if is_regressor(model) else "other"
    except (AttributeError, TypeError):
        return "other"  # has no scikit-learn tags


def _of_classifier(model: Any) -> dict[str, tuple[Any, int]]:
    from sklearn.metrics import f1_score, get_scorer, make_scorer, precision_score, recall_score

    classes: Any = getattr(model, "classes_", ())
    two = len(classes) == 2
    how: Any = {"pos_label": classes[1], "average": "binary"} if two else {"average": "weighted"}
    return {
        "accuracy": (get_scorer("accuracy"), 1),
        "precision": (make_scorer(precision_score, zero_division=0, **how), 1),
        "recall": (make_scorer(recall_score, zero_division=0, **how), 1),
        "f1": (make_scorer(f1_score, zero_division=0, **how), 1),
        "roc_auc": (get_scorer("roc_auc" if two else "roc_auc_ovr"), 1),
        "log_loss": (get_scorer("neg_log_loss"), -1),
    }


def _of_regressor(model: Any) -> dict[str, tuple[Any, int]]:
    from sklearn.metrics import get_scorer

    return {
        "r2": (get_scorer("r2"), 1),
        "rmse": (get_scorer("neg_root_mean_squared_error"), -1),
        "mae": (get_scorer("neg_mean_absolute_error"), -1),
        "mape": (get_scorer("neg_mean_absolute_percentage_error"), -1),
    }


def judge(model: Any, data: tuple[Any, Any] | None, require: Sequence[str]) -> dict[str, float]:
    """Evaluate a model, check that it meets its requirements, and return its metrics.

    Raises
    ------
    GateError
        A requirement is not met or cannot be read, or there is no data to evaluate the model on.
    """
    requirements = [Requirement.parse(line) for line in ([require] if isinstance(require, str) else require)]
    if requirements and data is None:
        raise GateError(f"{requirements[0]} cannot be judged without data: give the held-out features and targets")
    metrics = evaluate(model, *_pair(data)) if data is not None else {}
    missed = [r for r in requirements if not r.met(metrics)]
    if missed:
        numbers = ", ".join(
            f"{r.metric} is {metrics[r.metric]:.6g}, required {r.comparison} {r.bound:g}" for r in missed
        )
        raise GateError(f"not registered: {numbers}")
    return metrics


def _pair(data: Any) -> tuple[Any, Any]:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise GateError("data are a pair: features and targets, as in (X_test, y_test)")
    rows, targets = (_rows(part) for part in data)
    if rows != targets:
        raise GateError(f"features have {rows} rows and targets {targets}: they must agree")
    if not rows:
        raise GateError("the data have no rows: there is nothing to judge the model by")
    return data[0], data[1]


def _rows(part: Any) -> int:
    shape = getattr(part, "shape", None)  # a sparse matrix has no len
    return int(shape[0]) if shape else len(part)


def check_model(model: Any) -> None:
    """Raise `GateError` for a value that cannot be registered: it has no `predict`, or is not fitted yet."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if isinstance(model, type) or not callable(getattr(model, "predict", None)):
        raise GateError(f"{type(model).__name__} is no model: it has no predict")
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise GateError(f"{type(model).__name__} is not fitted: call fit before it is registered") from None
    except TypeError:
        pass  # follows another protocol than scikit-learn's: taken as it is


def register_model(
    model: Any,
    name: str,
    alias: str | None = None,
    data: tuple[Any, Any] | None = None,
    require: Sequence[str] = (),
) -> TrackedModel:
    """Check that a model meets its requirements, and register it from a pipeline's step.

    The model is registered in MLflow where `MLFLOW_TRACKING_URI` is set and mlflow is installed, and always noted in
    the step's tracking file. A retry of the step in the same run does not make a second version.

    Returns
    -------
    The model's "name", "alias", "metrics", "format" and "version" (None where there is no MLflow to give one).

    Raises
    ------
    GateError
        The step fails: the model is not fitted, or does not meet its requirements.
    """
    from .. import tracking

    check_model(model)
    metrics = judge(model, data, require)
    return tracking.note_model(model, name, alias, data, metrics, [require] if isinstance(require, str) else require)


def _line(fault: Exception) -> str:
    return " ".join(f"{type(fault).__name__}: {fault}".split())[:300]
