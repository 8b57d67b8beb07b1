"""A run that the notebook keeps open over several steps: the bundle logs into that one, however its steps run."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from mlops_jupyter.services.export.run import local_run
from tests.services.export.recorded import export

LATE = "%%pipeline late\nimport time\ntime.sleep(0.3)\ndepth = 3"


def tracked(bundle: Path) -> dict[str, dict[str, object]]:
    """Run a bundle; return what each of its tracked runs came to: status, parameters, metrics."""
    store = bundle.parent / "store"
    assert local_run.run(bundle, store, ["--run", "one"]) is not None
    steps = json.loads((store / "one" / "tracking.json").read_text())["steps"].values()
    found: dict[str, dict[str, object]] = {}
    for run in (run for step in steps for run in step["runs"]):
        facts = {**run["params"], **{metric["key"]: metric["value"] for metric in run["metrics"]}}
        one = found.setdefault(run["name"], {})
        one.update(facts)
        if run["ended"] is not None:
            one["ended"] = run["status"]
    return found


def test_steps_log_into_the_run_that_was_open(tmp_path: Path) -> None:
    cells = [
        LATE,
        "%%pipeline begin\n%track start mine\n%track params depth=depth",
        "%%pipeline measure\n%track log auc=0.5",
        "%%pipeline close\n%track end",
    ]
    assert export(tmp_path, cells, ["depth"])["steps"] == ["late", "begin", "measure", "close"]
    assert tracked(tmp_path / "out") == {"mine": {"depth": "3", "auc": 0.5, "ended": "finished"}}


def test_the_object_of_a_run_logs_before_it_is_closed(tmp_path: Path) -> None:
    cells = [
        "%%pipeline begin\nrun = %track start mine",
        LATE,
        "%%pipeline measure\nrun.log(auc=depth / 6)",
        "%%pipeline close\n%track end",
    ]
    assert "fault" not in export(tmp_path, cells, ["depth"])
    assert tracked(tmp_path / "out") == {"mine": {"auc": 0.5, "ended": "finished"}}


def test_cells_that_are_runs_of_their_own_wait_for_nobody(tmp_path: Path) -> None:
    cells = ["%%pipeline one\n%%track first\na = 1 + 1", "%%pipeline two\n%%track second\nb = 2 + 1"]
    assert "fault" not in export(tmp_path, cells, ["a", "b"])
    plan = yaml.safe_load((tmp_path / "out" / "pipeline.yaml").read_text())
    assert [step.get("after") for step in plan["steps"]] == [None, None]
    runs = tracked(tmp_path / "out")
    assert [(run.get("a"), run.get("b")) for run in runs.values()] == [(2.0, None), (None, 3.0)]
