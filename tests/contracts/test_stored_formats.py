"""What an earlier version wrote is still read: a project's `.mlops`, a bundle, a bundle's store.

`stored/format_1.tar.xz` was made by the package as it was before its modules had the names that they have now. Pickles
in the store name the modules of then, and the bundle carries the runtime of then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.runtime.codecs import load_exact, read_open
from mlops_jupyter.runtime.storage.objects import project_objects
from mlops_jupyter.runtime.storage.store import Store
from mlops_jupyter.workspace import Workspace

ARCHIVE = Path(__file__).parent / "stored" / "format_1.tar.xz"
RUN = "20261130T200043491-26983d"


@pytest.fixture
def project(tmp_path) -> Path:
    """Return a folder with a notebook, its `.mlops`, its bundle and a store with one run of the bundle."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "project"


def mlops(project: Path, *words: str) -> str:
    """Run one command of today's command line in the project; return what it printed."""
    ended = subprocess.run(
        [sys.executable, "-m", "mlops_jupyter", *words], cwd=project, capture_output=True, text=True, timeout=240
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_artifact_of_a_store_is_read(project) -> None:
    store = Store(project / "store")
    values: dict[str, object] = {}
    for step in ("load", "fit", "report"):
        for output in store.step(RUN, step)["outputs"]:
            if output["format"] == "pickle":
                values |= load_exact(store.get(output["digest"]))
    grid, column, log, names = values["grid"], values["column"], values["log"], values["names"]
    assert np.shares_memory(grid, column)  # views of one array, under a name that pickle knows from the old module
    assert np.shares_memory(grid, log[0])
    assert names["log"] is log
    assert names["same"] is log
    assert type(values["model"]).__name__ == "LogisticRegression"
    assert values["model"].random_state is np.random.mtrand._rand


def test_every_output_of_a_run_is_read(project) -> None:
    store = Store(project / "store")
    index = store.outputs(RUN)
    outputs = {
        row["name"]: read_open(store.read(RUN, f"outputs/{row['file']}"), row["format"]) for row in index["outputs"]
    }
    assert outputs["total"] == pytest.approx(90.349850464)
    assert outputs["accuracy"] == 1.0
    assert outputs["pieces"] == 2
    assert isinstance(outputs["table"], pd.DataFrame)
    assert list(outputs["table"]["guess"]) == [0, 1, 0, 1]


def test_every_object_of_a_project_is_read(project) -> None:
    folder = project / ".mlops"
    objects = project_objects(folder)
    keys = [path.parent.name + path.name for path in folder.glob("objects/??/*")]
    assert len(keys) == 2
    assert all(objects.get(key) for key in keys)


def test_the_ledger_is_read(project) -> None:
    workspace = Workspace.open(project)
    try:
        (run,) = workspace.tracking.runs()
        (model,) = workspace.registry.list()
        (schedule,) = workspace.schedules.list()
    finally:
        workspace.close()
    assert (run.experiment, run.params["level"], run.metrics["accuracy"]) == ("old", "0.5", 1.0)
    assert (model.name, model.versions[0].version) == ("rain", 1)
    assert (schedule.package, schedule.spec.cron) == ("days", "0 6 * * 1")


def test_a_bundle_of_then_is_verified(project) -> None:
    proof = json.loads(mlops(project, "verify", "bundle", "--json"))
    assert proof["status"] == "identical"
    assert {row["name"] for row in proof["outputs"]} == {"total", "table", "accuracy", "pieces", "model"}


def test_a_bundle_of_then_takes_its_steps_from_its_store(project) -> None:
    """Its own runtime makes the keys; the versions of packages are part of them, so a first run fills the cache."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "mlops_jupyter", "run", "bundle", "--store", "store", "--json"]
    subprocess.run(command, cwd=project, env=environment, capture_output=True, check=True, timeout=240)
    again = subprocess.run(command, cwd=project, env=environment, capture_output=True, check=True, timeout=240)
    assert json.loads(again.stdout)["steps"] == {"load": "cached", "fit": "done", "report": "cached"}  # `fit` tracks


def test_a_bundle_of_then_is_compared_and_updated(project) -> None:
    """Only the generated code differs, by where the runtime has its modules."""
    printed = mlops(project, "export", "days.ipynb", "--output", "bundle", "--update")
    assert "days" in printed or "bundle" in printed
    proof = json.loads(mlops(project, "verify", "bundle", "--json"))
    assert proof["status"] == "identical"
    assert not (project / "bundle" / "src" / "days" / "runtime" / "command.py").exists()
