"""Requirements, the figures of a model, and what they decide."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mlops_jupyter.runtime.tracking.gates import GateError, Requirement, check_model, evaluate, judge

rng = np.random.default_rng(7)
X = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300)})
two = (X.a + rng.normal(size=300) * 0.5 > 0).astype(int)
words = two.map({0: "no", 1: "yes"})
three = pd.cut(X.a + X.b, [-99, -0.5, 0.5, 99], labels=["low", "mid", "high"]).astype(str)
amount = 3 * X.a - X.b + rng.normal(size=300)


@dataclass(frozen=True)
class Case:
    line: str
    metric: str = ""
    comparison: str = ""
    bound: float = 0.0
    wrong: bool = False


LINES = [
    Case("accuracy >= 0.9", "accuracy", ">=", 0.9),
    Case("rmse<12", "rmse", "<", 12.0),
    Case(" log_loss  <=  1e-3 ", "log_loss", "<=", 0.001),
    Case("r2 > -.5", "r2", ">", -0.5),
    Case("f1 == 1", "f1", "==", 1.0),
    Case("f1 != 0.", "f1", "!=", 0.0),
    Case("accuracy", wrong=True),
    Case("accuracy >= ", wrong=True),
    Case("accuracy = 0.9", wrong=True),
    Case("accuracy >= 0.9 and f1 > 1", wrong=True),
    Case("accuracy >= nan", wrong=True),
    Case("0.9 <= accuracy", wrong=True),
    Case("__import__('os').system('true') > 1", wrong=True),
    Case("", wrong=True),
]


@pytest.mark.parametrize("case", LINES, ids=lambda case: case.line or "empty")
def test_reading_a_requirement(case: Case) -> None:
    if case.wrong:
        with pytest.raises(GateError) as fault:
            Requirement.parse(case.line)
        assert repr(case.line) in str(fault.value)
        assert "\n" not in str(fault.value)
    else:
        assert Requirement.parse(case.line) == Requirement(case.metric, case.comparison, case.bound)
        assert Requirement.parse(str(Requirement.parse(case.line))) == Requirement.parse(case.line)


def test_not_a_number_meets_nothing() -> None:
    for comparison in (">=", "<=", "==", "!=", ">", "<"):
        assert not Requirement("m", comparison, 1.0).met({"m": math.nan})


@pytest.mark.parametrize("y", [two, words], ids=["numbers", "words"])
def test_figures_of_two_classes_are_those_of_sklearn(y: pd.Series) -> None:
    model = LogisticRegression().fit(X, y)
    guess, chance = model.predict(X), model.predict_proba(X)
    greater = model.classes_[1]
    assert evaluate(model, X, y) == {
        "accuracy": metrics.accuracy_score(y, guess),
        "precision": metrics.precision_score(y, guess, pos_label=greater),
        "recall": metrics.recall_score(y, guess, pos_label=greater),
        "f1": metrics.f1_score(y, guess, pos_label=greater),
        "roc_auc": pytest.approx(metrics.roc_auc_score(y, chance[:, 1])),
        "log_loss": pytest.approx(metrics.log_loss(y, chance)),
    }


def test_figures_of_three_classes_are_averaged_by_frequency() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, three)
    found = evaluate(model, X, three)
    assert found["f1"] == metrics.f1_score(three, model.predict(X), average="weighted")
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(three, model.predict_proba(X), multi_class="ovr"))
    assert list(found) == ["accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"]


def test_figures_of_a_regressor_are_errors_without_their_sign() -> None:
    model = LinearRegression().fit(X, amount)
    guess = model.predict(X)
    assert evaluate(model, X, amount) == {
        "r2": metrics.r2_score(amount, guess),
        "rmse": pytest.approx(metrics.root_mean_squared_error(amount, guess)),
        "mae": pytest.approx(metrics.mean_absolute_error(amount, guess)),
        "mape": pytest.approx(metrics.mean_absolute_percentage_error(amount, guess)),
    }


def test_without_probabilities_there_is_no_log_loss() -> None:
    assert list(evaluate(LinearSVC().fit(X, two), X, two)) == ["accuracy", "precision", "recall", "f1", "roc_auc"]


def test_what_is_neither_has_no_figures() -> None:
    assert evaluate(KMeans(2, n_init=1).fit(X), X, two) == {}


JUDGED = [
    ("met", (X, two), ["accuracy >= 0.5", "roc_auc > 0.5"], None),
    ("missed", (X, two), ["accuracy >= 0.5", "accuracy > 1"], r"accuracy is 0\.\d+, required > 1$"),
    ("two missed", (X, two), ["f1 > 1", "recall > 2"], r"f1 is 0\.\d+, required > 1, recall is 0\.\d+, required > 2$"),
    ("one line as text", (X, two), "accuracy >= 0.5", None),
    ("no such metric", (X, two), ["rmse < 3"], "no metric 'rmse' to require: there are accuracy, precision"),
    ("no data", None, ["accuracy >= 0.5"], "accuracy >= 0.5 cannot be judged without data"),
    ("no pair", (X,), [], "data are a pair"),
    ("lengths", (X, two[:10]), [], "features have 300 rows and targets 10"),
    ("no rows", (X[:0], two[:0]), [], "the data have no rows"),
    ("other columns", (X[["a"]], two), [], "cannot evaluate accuracy: ValueError"),
]


@pytest.mark.parametrize(("data", "require", "fault"), [row[1:] for row in JUDGED], ids=[row[0] for row in JUDGED])
def test_judging(data, require, fault) -> None:
    model = LogisticRegression().fit(X, two)
    if fault is None:
        assert judge(model, data, require)["accuracy"] == metrics.accuracy_score(two, model.predict(X))
    else:
        with pytest.raises(GateError, match=fault) as raised:
            judge(model, data, require)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("thing", [LogisticRegression, 3, "model", None, X])
def test_what_is_no_model(thing: object) -> None:
    with pytest.raises(GateError, match="is no model"):
        check_model(thing)


def test_a_model_that_is_not_fitted() -> None:
    with pytest.raises(GateError, match="LogisticRegression is not fitted"):
        check_model(LogisticRegression())
