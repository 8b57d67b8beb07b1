"""A real Jupyter server that runs the schedules of a project, when asked and as long as it lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlops_jupyter.store.locks import FileLock
from mlops_jupyter.workspace import Workspace

ROOT = Path(__file__).parents[2]


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a server over `tmp_path/root` with more words on its command line; its log is `tmp_path/log`."""
    started = []
    (tmp_path / "root").mkdir()

    def go(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port=0"]
        command += [f"--ServerApp.root_dir={tmp_path / 'root'}", "--ServerApp.jpserver_extensions=mlops_jupyter=True"]
        folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
        home = {f"JUPYTER_{name}": str(tmp_path / name.lower()) for name in folders}
        python = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        with (tmp_path / "log").open("wb") as log:
            environment = {**os.environ, **home, "PYTHONPATH": python}
            started.append(subprocess.Popen([*command, *words], env=environment, stdout=log, stderr=log))
        return started[-1]

    yield go
    for process in started:
        process.kill()
        process.wait()


def holder(project: Path) -> psutil.Process:
    return psutil.Process(int((project / ".mlops" / "scheduler.lock").read_text()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_scheduler_lives_as_long_as_the_server(start, tmp_path: Path, number: signal.Signals) -> None:
    project = tmp_path / "root" / "churn"
    Workspace(project).close()
    log = project / ".mlops" / "scheduler.log"
    server = start("--MlopsJupyter.scheduler_projects=churn", "--MlopsJupyter.scheduler_projects=none")
    until(lambda: log.exists() and "scheduler started" in log.read_text())
    assert f"the schedules of 'churn' are run by pid {holder(project).pid}" in (tmp_path / "log").read_text()
    assert "no schedules are run for 'none'" in (tmp_path / "log").read_text()
    assert holder(project).ppid() == server.pid
    scheduler = holder(project)
    server.send_signal(number)
    server.wait(60)
    until(lambda: not scheduler.is_running() or scheduler.status() == psutil.STATUS_ZOMBIE)
    assert "scheduler ended" in log.read_text()
    lock = FileLock(project / ".mlops" / "scheduler.lock")
    assert lock.acquire()
    lock.release()


def test_nothing_is_run_unless_asked(start, tmp_path: Path) -> None:
    project = tmp_path / "root" / "churn"
    Workspace(project).close()
    outside = tmp_path / "outside"
    Workspace(outside).close()
    start("--MlopsJupyter.scheduler_projects=../outside")
    until(lambda: "endpoints are up" in (tmp_path / "log").read_text())
    until(lambda: "no schedules are run for '../outside'" in (tmp_path / "log").read_text())
    assert not (project / ".mlops" / "scheduler.lock").exists()
    assert not (outside / ".mlops" / "scheduler.lock").exists()
