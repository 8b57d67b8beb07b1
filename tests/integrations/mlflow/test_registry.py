"""Models on a real server: registered, named, loaded, put back."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime import tracking
from mlops_jupyter.runtime.tracking import gates, mlflow_models
from mlops_jupyter.workspace import Workspace

from .conftest import arrive, until

pytestmark = pytest.mark.timeout(180)

X = pd.DataFrame({"tenure": np.arange(60) % 9, "spend": np.linspace(0, 1, 60), "plan": ["x", "y", "z"] * 20})
y = (X.tenure > 4).astype(int)


def fitted(C: float = 1.0):
    words = ColumnTransformer([("words", OneHotEncoder(), ["plan"])], remainder="passthrough")
    return make_pipeline(words, LogisticRegression(C=C, max_iter=500)).fit(X, y)


def test_the_life_of_a_model(project: Workspace, client) -> None:
    registry, model = project.registry, fitted()
    with project.tracking.start("train", "life") as run:
        first = registry.register(model, "churn", "champion", (X, y), ["accuracy >= 0.5"], run=run.id)
    assert (first.version, first.status, first.aliases, first.format) == (1, "ready", ("champion",), "skops")
    assert first.metrics == gates.evaluate(model, X, y)
    second = registry.register(fitted(C=0.1), "churn", data=(X, y))
    third = registry.register(fitted(C=9), "churn", data=(X, y))
    assert (second.version, third.version) == (2, 3)

    import mlflow

    mlflow.set_tracking_uri(project.tracking_uri)
    loaded = mlflow.sklearn.load_model("models:/churn@champion")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    about = mlflow.models.get_model_info("models:/churn/1")
    assert about.signature.inputs.input_names() == ["tenure", "spend", "plan"]
    assert about.signature.outputs is not None
    arrive(project)
    kept = client.get_model_version("churn", 1)
    assert kept.run_id == project.tracking.run("train").mlflow
    assert kept.tags[mlflow_models.VERSION_TAG] == first.id
    assert float(kept.tags["metrics.accuracy"]) == pytest.approx(first.metrics["accuracy"], rel=1e-5)
    example = mlflow.pyfunc.load_model("models:/churn/1").input_example
    assert list(example.columns) == ["tenure", "spend", "plan"]

    def champion() -> int:
        return int(client.get_model_version_by_alias("churn", "champion").version)

    assert registry.promote("churn@champion", 2).aliases == {"champion": 2}
    assert champion() == 2
    registry.promote("churn@champion", 3)
    registry.promote("churn@champion", 3)  # again: it holds it already
    assert registry.rollback("churn@champion").aliases == {"champion": 2}
    assert champion() == 2
    assert registry.rollback("churn@champion").aliases == {"champion": 1}
    assert champion() == 1
    with pytest.raises(UserError, match="'churn@champion' has no earlier version to go back to"):
        registry.rollback("churn@champion")
    client.set_registered_model_alias("churn", "champion", "3")  # by somebody else, in MLflow's own page
    assert registry.show("churn").aliases == {"champion": 3}
    assert registry.rollback("churn@champion").aliases == {"champion": 1}, "back to the one before"

    for fault, act in {
        "no model 'chrun': there are churn": lambda: registry.show("chrun"),
        "no model 'chrun'": lambda: registry.promote("chrun@champion", 1),
        "model 'churn' has no version 7: it has 3, 2, 1": lambda: registry.promote("churn@champion", 7),
        "model 'churn' has no alias 'best': there are champion": lambda: registry.rollback("churn@best"),
    }.items():
        with pytest.raises(NotFoundError, match=fault) as raised:
            act()
        assert "\n" not in str(raised.value)


def test_a_model_waits_for_the_server(project: Workspace, client, door, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", door.uri)
    waited: list[float] = []
    began = time.monotonic()
    pending = project.registry.register(fitted(), "patient", "champion", (X, y), progress=waited.append)
    assert (pending.version, pending.status) == (None, "pending")
    assert waited
    assert time.monotonic() - began < 60
    door.open()
    arrive(project)
    (version,) = project.registry.show("patient", fresh=False).versions
    assert (version.version, version.status, version.aliases) == (1, "ready", ("champion",))
    assert client.get_model_version_by_alias("patient", "champion").version in ("1", 1)


def test_a_step_of_a_bundle_registers_once_however_often_it_is_tried(project: Workspace, client, tmp_path) -> None:
    model, file = fitted(), tmp_path / "run" / "tracking" / "train.json"

    def step() -> int | None:
        tracking.begin(file, "weekly", "run-1", "train")
        tracking.start_run("scheduled", experiment="bundle")
        tracking.log_params(C=1)
        tracking.log_metrics({"loss": 0.5}, step=1)
        noted = gates.register_model(model, "weekly", "challenger", (X, y), ["accuracy >= 0.5"])
        tracking.log_metrics({"loss": 0.4}, step=2)
        tracking.end_run()
        tracking.finish()
        return noted.version

    assert [step(), step()] == [1, 1]
    experiment = client.get_experiment_by_name("bundle")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status, run.data.params) == ("scheduled", "FINISHED", {"C": "1"})
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")] == [(1, 0.5), (2, 0.4)]
    assert len(client.search_model_versions("name = 'weekly'")) == 1

    with pytest.raises(gates.GateError):
        gates.register_model(model, "weekly", data=(X, y), require=["accuracy > 1"])
    assert len(client.search_model_versions("name = 'weekly'")) == 1

    shown = project.registry.show("weekly")  # registered by a step, known to the project that asks
    assert [(v.version, v.status, v.aliases) for v in shown.versions] == [(1, "ready", ("challenger",))]
    assert shown.versions[0].metrics["accuracy"] == pytest.approx(1.0)
    assert project.registry.promote("weekly@champion", 1).aliases["champion"] == 1
    until(lambda: not project.tracking.troubles())
