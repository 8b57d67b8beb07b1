"""What was tracked is in MLflow: read back from a real server with MLflow's own client."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from mlops_jupyter.integrations.mlflow import courier
from mlops_jupyter.workspace import Workspace

from .conftest import arrive, log_of, until

pytestmark = pytest.mark.timeout(180)


def history(client, run: str, key: str) -> list[tuple[int, float]]:
    return sorted((m.step, m.value) for m in client.get_metric_history(run, key))


def test_a_run_arrives_whole(project: Workspace, client) -> None:
    with project.tracking.start("baseline", "carried", notebook="a/b.ipynb") as run:
        for step in range(1500):
            run.log(loss=1 / (step + 1), step=step)
        run.log({"val/auc": 0.5})
        run.log({"val/auc": 0.91})
        run.log(lost=math.nan, endless=math.inf)
        run.params(depth=3, columns=["a", "b"])
        run.tag(team="blue")
        run.artifact("notes/read me.txt", b"hello")
    arrive(project)

    found = client.get_run(project.tracking.run(run.id).mlflow)
    assert found.info.run_name == "baseline"
    assert found.info.status == "FINISHED"
    assert client.get_experiment(found.info.experiment_id).name == "carried"
    assert found.data.params == {"depth": "3", "columns": "['a', 'b']"}
    assert found.data.tags["team"] == "blue"
    assert found.data.tags["mlops_jupyter.run"] == run.id
    assert found.data.tags["mlflow.source.name"] == "a/b.ipynb"
    assert abs(found.info.start_time / 1000 - project.tracking.run(run.id).started) < 0.01
    assert history(client, found.info.run_id, "loss") == [(step, 1 / (step + 1)) for step in range(1500)]
    assert history(client, found.info.run_id, "val/auc") == [(0, 0.5), (0, 0.91)]
    assert found.data.metrics["val/auc"] == 0.91, "the last one logged is the latest"
    assert math.isnan(found.data.metrics["lost"])
    assert found.data.metrics["endless"] > 1e308
    files = client.list_artifacts(found.info.run_id, "notes")
    assert [(file.path, file.file_size) for file in files] == [("notes/read me.txt", 5)]
    assert project.tracking.troubles() == []


LOGGING = """
import os, sys
from pathlib import Path
from mlops_jupyter.workspace import Workspace
run = Workspace(Path(sys.argv[1])).tracking.start(sys.argv[2], "killed")
for step in range(int(sys.argv[3])):
    run.log(loss=0.5, step=step)
    os.write(1, b".")
assert "mlflow" not in sys.modules and "pandas" not in sys.modules
"""


def logging_process(project: Workspace, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", LOGGING, str(project.root), name, str(count)], stdout=subprocess.PIPE
    )


def test_what_was_logged_survives_the_death_of_its_process(project: Workspace, client) -> None:
    process = logging_process(project, "dies", 10_000)
    returned = 0
    while returned < 4000:
        returned += len(process.stdout.read1(64))
    os.kill(process.pid, signal.SIGKILL)
    returned += len(process.stdout.read())
    process.wait()
    assert returned < 10_000, "it was killed in the middle"

    again = Workspace(project.root)
    assert [again.tracking.run(run).name for run in again.tracking.recover()] == ["dies"]
    arrive(again)
    view = again.tracking.run("dies")
    again.close()
    assert view.status == "killed"
    found = client.get_run(view.mlflow)
    assert found.info.status == "KILLED"
    steps = [step for step, _ in history(client, view.mlflow, "loss")]
    assert steps == list(range(len(steps))), "none lost, none doubled"
    assert returned <= len(steps) <= returned + 1


def test_two_processes_log_at_once(project: Workspace, client) -> None:
    processes = [logging_process(project, name, 3000) for name in ("left", "right")]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    arrive(project)
    for name in ("left", "right"):
        assert history(client, project.tracking.run(name).mlflow, "loss") == [(step, 0.5) for step in range(3000)]


def test_a_killed_courier_loses_and_doubles_nothing(project: Workspace, client) -> None:
    run = project.tracking.start("carried twice", "courier")
    for step in range(20_000):
        run.log(loss=0.5, step=step)
    run.params(depth=3)
    courier.ensure(project.folder, project.tracking_uri)
    until(lambda: mark(project) > 0)
    courier._started[-1].kill()
    courier._started[-1].wait(10)
    run.end()
    assert mark(project) < 20_000, "it was killed on its way"
    arrive(project)
    found = project.tracking.run(run.id).mlflow
    assert history(client, found, "loss") == [(step, 0.5) for step in range(20_000)]
    experiment = client.get_experiment_by_name("courier")
    assert len(client.search_runs([experiment.experiment_id])) == 1


def mark(project: Workspace) -> int:
    return int(project.ledger.query("SELECT carried_metric FROM courier")[0][0])


def test_nothing_is_lost_while_the_server_is_away(project: Workspace, client, door, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", door.uri)
    with project.tracking.start("early", "away") as run:
        run.log(auc=0.9)
    until(lambda: "MLflow is away" in log_of(project))
    assert project.tracking.run("early").mlflow is None
    assert project.tracking.troubles() == [], "absence is no fault of any message"
    door.open()
    arrive(project)
    first = project.tracking.run("early").mlflow
    door.shut()
    with project.tracking.start("late", "away") as run:
        run.log(auc=0.8)
    time.sleep(1)
    door.open()
    arrive(project)
    assert client.get_run(first).data.metrics == {"auc": 0.9}
    assert client.get_run(project.tracking.run("late").mlflow).data.metrics == {"auc": 0.8}


def test_one_courier_that_goes_when_idle_and_comes_back(project: Workspace, client, monkeypatch) -> None:
    monkeypatch.setenv("MLOPS_JUPYTER_COURIER_IDLE", "0.5")
    script = "import sys; from pathlib import Path; from mlops_jupyter.workspace import Workspace\n"
    script += "[Workspace(Path(sys.argv[1])).courier() for _ in range(20)]; import time; time.sleep(0.3)\n"
    callers = [subprocess.Popen([sys.executable, "-c", script, str(project.root)]) for _ in range(3)]
    project.courier()
    for _ in range(50):
        project.courier()
    assert [caller.wait(30) for caller in callers] == [0, 0, 0]
    until(lambda: "idle, going" in log_of(project))
    assert log_of(project).count("carrying") == log_of(project).count("idle, going")
    with project.tracking.start("after") as run:
        run.log(auc=1)
    arrive(project)
    assert client.get_run(project.tracking.run("after").mlflow).data.metrics == {"auc": 1}


@pytest.mark.parametrize("away", ["deleted", "moved"])
def test_a_courier_whose_project_is_gone_ends(project: Workspace, tmp_path, client, away: str) -> None:
    project.courier()
    until(lambda: "carrying" in log_of(project))
    process = courier._started[-1]
    assert process.poll() is None
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    project.root.rename(moved)
    if away == "deleted":
        shutil.rmtree(moved)
    assert process.wait(20) == 0
    if away == "moved":
        with Workspace(moved).tracking.start("there") as run:
            run.log(auc=1)
        arrive(Workspace(moved))
