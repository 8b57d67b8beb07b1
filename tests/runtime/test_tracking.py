"""Tracking in a bundle's steps, without MLflow: what is collected, and how steps of one run agree."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlops_jupyter.runtime import tracking
from mlops_jupyter.runtime.run_data.metric_values import NotLoggableError
from mlops_jupyter.runtime.tracking import gates


@pytest.fixture(autouse=True)
def no_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking.begin(None, "interactive", "", "")


def written(folder: Path, step: str) -> dict:
    return json.loads((folder / f"{step}.json").read_text())


def test_a_step_writes_what_it_logged(tmp_path: Path) -> None:
    tracking.begin(tmp_path / "train.json", "churn", "r1", "train")
    tracking.start_run("baseline", experiment="weekly")
    tracking.log_params({"depth": 3}, kind="tree")
    tracking.log_metrics({"auc": 0.9}, step=2, loss=math.nan)
    tracking.log_tags({"team": "blue"})
    tracking.note_estimators({"clf": make_pipeline(StandardScaler(), LogisticRegression(C=2)), "n": 3})
    tracking.end_run()
    tracking.finish()
    (run,) = written(tmp_path, "train")["runs"]
    assert (run["name"], run["experiment"], run["status"]) == ("baseline", "weekly", "finished")
    assert run["params"]["depth"] == "3"
    assert run["params"]["kind"] == "tree"
    assert run["params"]["clf.logisticregression__C"] == "2"
    assert run["tags"] == {"team": "blue", "estimator.clf": "sklearn.pipeline.Pipeline"}
    assert [(m["key"], m["value"], m["step"]) for m in run["metrics"]] == [("auc", 0.9, 2), ("loss", "nan", 2)]
    assert run["started"] <= run["ended"]


def test_a_step_goes_on_with_the_run_that_an_earlier_one_left_open(tmp_path: Path) -> None:
    tracking.begin(tmp_path / "load.json", "churn", "r1", "load")
    handle = tracking.start_run("baseline")
    tracking.finish()
    tracking.begin(tmp_path / "train.json", "churn", "r1", "train")
    handle.log(auc=0.9)
    handle.end()
    tracking.finish()
    tracking.begin(tmp_path / "after.json", "churn", "r1", "after")
    tracking.log_metrics(rows=3)
    tracking.finish()
    load, train, after = (written(tmp_path, step)["runs"] for step in ("load", "train", "after"))
    assert load[0]["id"] == train[0]["id"] != after[0]["id"]
    assert (load[0]["status"], train[0]["status"]) == ("running", "finished")
    assert after[0]["name"] == "churn", "what belongs to no run belongs to the pipeline's"


def test_a_retry_has_the_same_ids(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        tracking.begin(tmp_path / "train.json", "churn", "r1", "train")
        tracking.start_run("a")
        tracking.start_run("b")
        tracking.finish()
        found.append([run["id"] for run in written(tmp_path, "train")["runs"]])
    assert found[0] == found[1]
    assert len(set(found[0])) == 2
    tracking.begin(tmp_path / "train.json", "churn", "r2", "train")
    assert tracking.start_run("a").id not in found[0]


def test_a_run_inside_another(tmp_path: Path) -> None:
    tracking.begin(tmp_path / "s.json", "churn", "r1", "s")
    tracking.start_run("outer")
    tracking.start_run("inner", inside=True)
    tracking.log_metrics(a=1)
    tracking.end_run()
    tracking.log_metrics(b=2)
    tracking.finish()
    outer, inner = written(tmp_path, "s")["runs"]
    assert [m["key"] for m in outer["metrics"]] == ["b"]
    assert outer["status"] == "running"
    assert [m["key"] for m in inner["metrics"]] == ["a"]
    assert inner["status"] == "finished"


def test_a_failed_step_fails_its_run(tmp_path: Path) -> None:
    tracking.begin(tmp_path / "s.json", "churn", "r1", "s")
    tracking.log_metrics(a=1)
    tracking.finish(failed=True)
    assert [run["status"] for run in written(tmp_path, "s")["runs"]] == ["failed"]


def test_figures_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    import matplotlib.pyplot as plt
    import plotly.graph_objects as go

    plt.close("all")
    drawn = plt.figure()
    drawn.gca().plot([1, 2])
    plt.figure()  # empty: nothing to keep
    tracking.begin(tmp_path / "s.json", "churn", "r1", "s")
    tracking.log_figures({"curve": drawn, "bars": go.Figure(go.Bar(y=[1, 2]))})
    tracking.finish()
    plt.close("all")
    files = written(tmp_path, "s")["runs"][0]["files"]
    assert sorted(files) == ["bars.html", "bars.json", "curve.png"]
    assert base64.b64decode(files["curve.png"]).startswith(b"\x89PNG")
    assert json.loads(base64.b64decode(files["bars.json"]))["data"][0]["type"] == "bar"


def test_figures_that_were_shown_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib.pyplot as plt

    plt.close("all")
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))  # as a step's does
    tracking.begin(tmp_path / "s.json", "churn", "r1", "s")
    tracking.start_run("one", inside=True)
    drawn = plt.figure()
    drawn.gca().plot([1, 2])
    plt.show()
    plt.plot([3])
    plt.show()
    tracking.log_figures({"curve": drawn})
    tracking.end_run()
    tracking.finish()
    assert sorted(written(tmp_path, "s")["runs"][0]["files"]) == ["curve.png", "figure_1.png"]


def test_a_model_is_noted_with_its_figures() -> None:
    model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    data = ([[0.0], [3.0]], [0, 1])
    noted = gates.register_model(model, name="churn", alias="challenger", data=data, require=["accuracy >= 0.9"])
    assert (noted.name, noted.alias, noted.version, noted.format) == ("churn", "challenger", None, "skops")
    assert noted.metrics["accuracy"] == 1.0
    assert [m["name"] for m in tracking.collected()["models"]] == ["churn"]


def test_a_model_that_fails_its_gate_is_not_noted() -> None:
    model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    with pytest.raises(gates.GateError, match=r"accuracy is 0, required >= 0\.9"):
        gates.register_model(model, name="churn", data=([[0.0], [3.0]], [1, 0]), require=["accuracy >= 0.9"])
    assert tracking.collected()["models"] == []


@pytest.mark.parametrize("bad", [{"a": "text"}, {"a\nb": 1}, {"": 1}])
def test_what_cannot_be_logged_changes_nothing(bad: dict) -> None:
    tracking.log_metrics(ok=1)
    with pytest.raises(NotLoggableError):
        tracking.log_metrics({"fine": 1, **bad})
    assert [m["key"] for m in tracking.collected()["runs"][0]["metrics"]] == ["ok"]
