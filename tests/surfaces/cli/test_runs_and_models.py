"""`mlops-jupyter runs` and `mlops-jupyter models`."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import NotFoundError
from mlops_jupyter.surfaces.cli import models, runs
from mlops_jupyter.workspace import Workspace


@pytest.fixture
def cli() -> Callable[..., int]:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    runs.add_to(verbs)
    models.add_to(verbs)

    def call(*words: str) -> int:
        args = parser.parse_args(words)
        return args.act(args)

    return call


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Workspace, "courier", lambda self: None)
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()


def test_runs(project: Workspace, cli, capsys) -> None:
    assert cli("runs") == 0
    assert capsys.readouterr().out == "no runs yet\n"
    for name, auc in (("low", 0.1), ("high", 0.9)):
        with project.tracking.start(name, "churn") as run:
            run.log(auc=auc, lost=math.nan)
            run.params(depth=3)
    assert cli("runs", "--json", "--sort=-metrics.auc") == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in found] == ["high", "low"]
    assert found[0]["metrics"] == {"auc": 0.9, "lost": None}
    assert found[0]["params"] == {"depth": "3"}
    assert found[0]["status"] == "finished"
    assert cli("runs", "-e", "churn", "--limit", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["run", "name", "experiment", "status", "started", "metrics"]
    assert len(lines) == 2
    assert " high " in lines[1]
    with pytest.raises(NotFoundError, match="no experiment 'x'"):
        cli("runs", "-e", "x")


def test_what_was_set_aside_is_told(project: Workspace, cli, capsys) -> None:
    number = project.ledger.post("params", {"run": "x"})
    project.ledger.execute("UPDATE outbox SET done = 1, error = 'refused' WHERE id = ?", (number,))
    assert cli("runs") == 0
    assert capsys.readouterr().err == f"not carried to MLflow, set aside: params {number}: refused\n"
    assert cli("runs", "--sync") == 1


def test_models(project: Workspace, cli, capsys) -> None:
    assert cli("models", "--offline") == 0
    assert capsys.readouterr().out == "no models yet\n"
    sql = (
        "INSERT INTO model_version (id, model, version, digest, format, created, facts)"
        " VALUES (?, ?, ?, '', 'skops', 0, ?)"
    )
    for version in (1, 2, None):
        project.ledger.execute(sql, (f"id{version}", "churn", version, '{"metrics": {"accuracy": 0.5}}'))
    project.ledger.audit("promote", "churn@champion", {"version": 1, "before": None})
    assert cli("models", "--json", "--offline", "churn") == 0
    (model,) = json.loads(capsys.readouterr().out)
    assert model["aliases"] == {"champion": 1}
    assert [(v["version"], v["status"], v["aliases"]) for v in model["versions"]] == [
        (None, "pending", []),
        (2, "ready", []),
        (1, "ready", ["champion"]),
    ]
    assert cli("models", "--offline") == 0
    assert "champion  accuracy=0.5" in capsys.readouterr().out
    with pytest.raises(NotFoundError, match="no model 'x': there are churn"):
        cli("models", "--offline", "x")
