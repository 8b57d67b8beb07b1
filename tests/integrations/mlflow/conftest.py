"""A real `mlflow server` for all tests here, a door to it that can be shut, and projects that are carried to it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_jupyter.integrations.mlflow import courier
from mlops_jupyter.workspace import Workspace

START_SECONDS = 170


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Starting:
    """A server on its way: other tests run while it imports and makes its database."""

    uri: str
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture(scope="session", autouse=True)
def starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starting]:
    """Start an MLflow server with a database of its own; do not wait for it."""
    folder = tmp_path_factory.mktemp("mlflow-server")
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    environment |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
                *("--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'server.db'}"),
                *("--artifacts-destination", str(folder / "artifacts")),
            ],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    try:
        yield Starting(f"http://127.0.0.1:{port}", process, folder / "server.log")
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


@pytest.fixture(scope="session")
def server(starting: Starting) -> str:
    """The address of the MLflow server, once it answers."""
    _until_healthy(starting.uri, starting.process, starting.log)
    return starting.uri


def _until_healthy(uri: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=2):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.3)
    pytest.fail(f"the MLflow server did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def client(server: str):
    """MLflow's own client, to read back what arrived."""
    import mlflow

    return mlflow.MlflowClient(server)


@pytest.fixture
def project(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A project that is carried to the server; its courier goes soon after the test."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLOPS_JUPYTER_COURIER_IDLE", "3")
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()
    stop_couriers()


def stop_couriers() -> None:
    for process in courier._started:
        process.kill()
        process.wait(10)


def arrive(workspace: Workspace, seconds: float = 90) -> None:
    """Wait until everything is in MLflow."""
    assert courier.flush(workspace.folder, workspace.tracking_uri, seconds), log_of(workspace)


def log_of(workspace: Workspace) -> str:
    path = workspace.folder / courier.LOG
    return path.read_text()[-4000:] if path.exists() else "no log"


class Door:
    """A port that leads to the server while it is open, and refuses while it is shut."""

    def __init__(self, target: str) -> None:
        self._target = ("127.0.0.1", int(target.rsplit(":", 1)[1]))
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._listener: socket.socket | None = None

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                inner, _ = listener.accept()
            except OSError:
                return
            outer = socket.create_connection(self._target)
            for source, sink in ((inner, outer), (outer, inner)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def door(server: str) -> Iterator[Door]:
    made = Door(server)
    yield made
    made.shut()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)
