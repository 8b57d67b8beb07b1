"""Models as bytes: without pickle where that gives the model back, and said where it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from mlops_jupyter.runtime.tracking.model_file import SAMPLE_ROWS, ModelFile, example, load, requirements, save

X = pd.DataFrame({"a": np.arange(40.0) % 7, "b": list("xy") * 20})
y = (X.a > 3).astype(int)
columns = ColumnTransformer([("words", OneHotEncoder(), ["b"])], remainder="passthrough")

MODELS = [
    make_pipeline(columns, LogisticRegression()),
    make_pipeline(columns, RandomForestRegressor(5)),
    make_pipeline(columns, GradientBoostingClassifier(n_estimators=3)),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model[-1]).__name__)
def test_models_of_sklearn_need_no_pickle(model) -> None:
    model.fit(X, y)
    file = save(model)
    assert (file.format, file.note) == ("skops", "")
    np.testing.assert_array_equal(load(file).predict(X), model.predict(X))


NOTEBOOK_CLASS = """
import sys
from sklearn.base import BaseEstimator, ClassifierMixin
from mlops_jupyter.runtime.tracking.model_file import save
class Half(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = [0, 1]
        return self
    def predict(self, X):
        return [int(x > 0.5) for x in X]
file = save(Half().fit(None, None))
open(sys.argv[1], "wb").write(file.data)
print(file.format, "|", file.note)
"""


def test_a_class_of_the_notebook_travels_with_its_code(tmp_path: Path) -> None:
    path = tmp_path / "model"
    said = subprocess.run(
        [sys.executable, "-c", NOTEBOOK_CLASS, str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith("cloudpickle | kept with cloudpickle, as skops cannot: it holds __main__.Half")
    assert load(ModelFile("cloudpickle", path.read_bytes())).predict([0.1, 0.9]) == [0, 1]


def test_a_function_inside_is_not_trusted_to_skops() -> None:
    file = save(make_pipeline(FunctionTransformer(lambda X: X * 2), LogisticRegression()).fit(np.eye(2), [0, 1]))
    assert file.format == "cloudpickle"
    assert "cloudpickle" in file.note


def test_the_sample_has_a_row_for_each_gap() -> None:
    gappy = X.assign(c=[1.0] * 30 + [np.nan] * 10)
    model = LogisticRegression().fit(X[["a"]], y)

    class Takes:
        def predict(self, rows):
            return model.predict(rows[["a"]])

    rows, guess = example(Takes(), gappy)
    assert list(rows.index) == [*range(SAMPLE_ROWS), 30]
    assert len(guess) == SAMPLE_ROWS + 1
    assert example(Takes(), iter([])) is None


def test_requirements_are_pinned_as_they_are_here() -> None:
    import sklearn

    found = requirements(MODELS[0])
    assert f"scikit-learn=={sklearn.__version__}" in found
    assert {line.partition("==")[0] for line in found} >= {"skops", "cloudpickle", "numpy", "pandas", "scikit-learn"}
