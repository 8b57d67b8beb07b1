"""The doctor, on installations and projects made sick on purpose."""

import argparse
import http.server
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_jupyter.services.doctor import front, packages, project, tracking
from mlops_jupyter.services.doctor.service import CheckResult, CheckStatus, examine
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.locks import FileLock
from mlops_jupyter.surfaces.cli import doctor

OK, WARNING, FAULT = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAULT


@pytest.mark.parametrize(
    "requirement, state, what",
    [
        ("pytest>=7", OK, pytest.__version__),
        ("pytest>=7000", FAULT, f"{pytest.__version__} is outside >=7000"),
        ("pytest<2", FAULT, "is outside <2"),
        ("no-such-distribution>=1", FAULT, "not installed (needs >=1)"),
        ("no-such-distribution", FAULT, "not installed (needs any version)"),
        ("no-such-distribution>=1; python_version < '3'", None, ""),
        ("no-such-distribution>=1; extra == 'test'", None, ""),
    ],
)
def test_packages_against_their_bounds(requirement: str, state: CheckStatus | None, what: str) -> None:
    finding = packages.compare(requirement)
    if state is None:
        assert finding is None
    else:
        assert finding.state is state
        assert what in finding.what
        assert (finding.do == "") == (state is OK)


def test_all_declared_packages_are_looked_at() -> None:
    found = {finding.name: finding for finding in packages.look()}
    assert {"python", "package mlops_jupyter", "package cronsim", "package mlflow"} <= found.keys()
    assert all(finding.state is not FAULT for finding in found.values()), found


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = {
            "/health": (200, b"OK"),
            "/other/health": (200, b"<html>"),
            "/closed/health": (401, b""),
            "/gone/health": (404, b""),
        }[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{made.server_port}"
        made.shutdown()


@pytest.mark.parametrize(
    "uri, state, what, do",
    [
        ("http://{server}", OK, "server http://{server} answers", ""),
        ("http://me:secret@{server}/", OK, "server http://me:***@{server}/ answers", ""),
        ("http://{server}/other", WARNING, "not as MLflow does", "check the address"),
        ("http://{server}/closed", WARNING, "asks who you are", "MLFLOW_TRACKING_USERNAME"),
        ("http://{server}/gone", FAULT, "status 404", "MLflow's"),
        ("http://127.0.0.1:{closed}", FAULT, "does not answer: [Errno 111]", "start it"),
        ("http://me:secret@127.0.0.1:bad", FAULT, "'http://me:***@127.0.0.1:bad' is no address", "write sqlite:"),
        ("http://", FAULT, "names no host", "write sqlite:"),
        ("localhost:5000", FAULT, "names no protocol", "write http://localhost:5000"),
        ("127.0.0.1:5000/", FAULT, "names no protocol", "write http://127.0.0.1:5000/"),
        ("htp://server", FAULT, "unknown protocol 'htp'", "write sqlite:"),
        ("postgresql+psycopg2://me:secret@db/mlflow", OK, "me:***@db/mlflow (not asked", ""),
        ("databricks", OK, "not asked", ""),
        ("databricks://profile", OK, "not asked", ""),
        ("sqlite:///{tmp}/mlflow.db", OK, "store '{tmp}/mlflow.db' opens", ""),
        ("sqlite:///{tmp}/new.db", OK, "not there yet", ""),
        ("sqlite:///{tmp}/.mlops/mlflow.db", OK, "not there yet", ""),
        ("sqlite:///{tmp}/nowhere/new.db", FAULT, "the folder of", "make it"),
        ("sqlite:///{tmp}/other.db", FAULT, "not MLflow's", "write sqlite:"),
        ("sqlite:///{tmp}/text.db", FAULT, "cannot read", "move it away"),
        ("sqlite://", FAULT, "names no file", "write sqlite:"),
        ("file://{tmp}", OK, "folder '{tmp}'", ""),
        ("{tmp}/text.db", FAULT, "is a file", "write sqlite:"),
    ],
)
def test_tracking_addresses(server: str, tmp_path: Path, uri: str, state: CheckStatus, what: str, do: str) -> None:
    for name, table in {"mlflow": "experiments", "other": "t"}.items():
        with sqlite3.connect(tmp_path / f"{name}.db") as db:
            db.execute(f"CREATE TABLE {table} (a)")
    (tmp_path / "text.db").write_text("no database " * 100)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    names = {"server": server, "closed": closed, "tmp": tmp_path}
    finding = tracking.look(uri.format(**names), tmp_path / ".mlops")
    assert (finding.state, finding.name) == (state, "mlflow")
    assert what.format(**names) in finding.what
    assert do in finding.do
    assert do or not finding.do
    assert "secret" not in finding.what + finding.do


def looked(folder: Path) -> dict[str, CheckResult]:
    return {finding.name: finding for finding in project.look(folder)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / ".mlops"
    made.mkdir()
    Ledger(made / "ledger.db").close()
    return made


def test_a_healthy_project(folder: Path) -> None:
    found = looked(folder)
    assert {name: finding.state for name, finding in found.items() if name != "disk"} == {
        **{"project": OK, "ledger": OK, "courier": OK, "scheduler": OK}
    }
    assert "GiB free" in found["disk"].what


def test_a_project_that_is_not_there_yet_is_left_alone(tmp_path: Path) -> None:
    found = looked(tmp_path / ".mlops")
    assert "not there yet" in found["project"].what
    assert "not there yet" in found["ledger"].what
    assert not (tmp_path / ".mlops").exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".mlops").write_text("in the way")
    finding = looked(tmp_path / ".mlops")["project"]
    assert finding.state is FAULT
    assert "cannot write" in finding.what


def test_a_newer_ledger(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.db") as db:
        db.execute("PRAGMA user_version=99")
    finding = looked(folder)["ledger"]
    assert finding.state is FAULT
    assert "written by a newer mlops_jupyter" in finding.what


@pytest.mark.parametrize("where", [0, 4096])
def test_a_damaged_ledger(folder: Path, where: int) -> None:
    with (folder / "ledger.db").open("r+b") as file:
        file.seek(where)
        file.write(b"\xff" * 3000)
    assert any(
        finding.state is FAULT
        for finding in examine(folder, "sqlite:///none.db")
        if finding.name in ("ledger", "project")
    )


def test_little_space(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((1 << 20, FAULT), (1 << 29, WARNING), (1 << 31, OK)):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(project.shutil, "disk_usage", lambda place, usage=usage: usage)
        assert looked(folder)["disk"].state is state


def test_messages_that_nobody_carries(folder: Path) -> None:
    ledger = Ledger(folder / "ledger.db")
    number = ledger.post("run", {})
    finding = looked(folder)["courier"]
    assert finding.state is WARNING
    assert finding.what.startswith("not at work: waiting for MLflow: messages 1")
    ledger.execute("UPDATE outbox SET error = 'MLflow is away' WHERE id = ?", (number,))
    assert "last fault: MLflow is away" in looked(folder)["courier"].what
    courier = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", project.COURIER, str(folder)])
    try:
        assert looked(folder)["courier"].what.startswith("at work: waiting for MLflow: messages 1")
        ledger.execute("UPDATE outbox SET done = 1")
        assert looked(folder)["courier"] == CheckResult("courier", OK, "nothing waits for MLflow, at work")
    finally:
        courier.kill()
        courier.wait()


def test_schedules_that_nobody_runs(folder: Path) -> None:
    row = "INSERT INTO schedule (id, bundle, cron, timezone, created) VALUES ('a', 'b', '@daily', 'UTC', ?)"
    Ledger(folder / "ledger.db").execute(row, (time.time(),))
    finding = looked(folder)["scheduler"]
    assert finding.state is WARNING
    assert finding.do == "start it with `mlops-jupyter scheduler`"
    lock = FileLock(folder / "scheduler.lock")
    assert lock.acquire()
    assert looked(folder)["scheduler"].what == f"schedules: 1, run by pid {lock.holder()}"
    alert = (
        "INSERT INTO schedule_alert (schedule, kind, text, created, next, error) VALUES ('a', 'failure', '', ?, 0, ?)"
    )
    Ledger(folder / "ledger.db").execute(alert, (time.time(), "'OPS' is not set"))
    finding = looked(folder)["scheduler"]
    assert finding.state is WARNING
    assert finding.what.endswith("; alerts that nobody took: 1")
    assert finding.do == "last fault: 'OPS' is not set"
    lock.release()
    assert looked(folder)["scheduler"].state is WARNING


def write(path: Path, facts: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(facts if isinstance(facts, str) else json.dumps(facts))
    return path


def test_the_labextension(tmp_path: Path) -> None:
    share, system, user = tmp_path / "labextensions", tmp_path / "system", tmp_path / "user"
    assert front.labextension([share], []).what.startswith("not installed")
    write(share / "mlops-jupyter" / "package.json", {})
    assert front.labextension([tmp_path / "none", share], []).state is OK
    write(system / "page_config.json", {"disabledExtensions": {"mlops-jupyter": True}})
    assert front.labextension([share], [system, user]).what == "disabled"
    write(user / "page_config.json", {"disabledExtensions": {"mlops-jupyter": False}})
    assert front.labextension([share], [system, user]).state is OK
    write(user / "page_config.json", {"disabledExtensions": {"mlops-jupyter:panel": True}})
    assert front.labextension([share], [user]).state is WARNING


def test_the_server_extension(tmp_path: Path) -> None:
    system, user = tmp_path / "system", tmp_path / "user"
    said = {on: {"ServerApp": {"jpserver_extensions": {"mlops_jupyter": on}}} for on in (True, False)}
    assert front.server([system, user]).what.startswith("not enabled")
    write(system / "jupyter_server_config.d" / "mlops_jupyter.json", said[True])
    write(system / "jupyter_server_config.d" / "broken.json", "{")
    assert front.server([system, user]).state is OK
    write(user / "jupyter_server_config.json", said[False])
    assert front.server([system, user]) == CheckResult(
        "server extension", WARNING, "disabled", "jupyter server extension enable mlops_jupyter"
    )


def test_the_configuration_that_we_ship_enables_it() -> None:
    shipped = Path(__file__).parents[2] / "jupyter-config" / "server-config" / "mlops_jupyter.json"
    assert json.loads(shipped.read_text())["ServerApp"]["jpserver_extensions"] == {"mlops_jupyter": True}


def test_kernels_of_other_environments(tmp_path: Path) -> None:
    has, lacks = tmp_path / "has", tmp_path / "lacks"
    for python, code in ((has, 0), (lacks, 3)):
        python.write_text(f"#!/bin/sh\nexit {code}\n")
        python.chmod(0o755)
    pythons = {
        "own": sys.executable,
        "named": "python3",
        "has": str(has),
        "lacks": str(lacks),
        "gone": str(tmp_path / "no"),
    }
    for name, python in pythons.items():
        write(tmp_path / "first" / name / "kernel.json", {"argv": [python, "-m"], "language": "python"})
    write(tmp_path / "first" / "ir" / "kernel.json", {"argv": ["R"], "language": "R"})
    write(tmp_path / "first" / "bad" / "kernel.json", "{")
    write(tmp_path / "second" / "own" / "kernel.json", "{")  # hidden by the first
    found = {
        finding.name.removeprefix("kernel "): finding
        for finding in front.kernels([tmp_path / "first", tmp_path / "second"])
    }
    assert {name: finding.state for name, finding in found.items()} == {
        **{"own": OK, "named": OK, "has": OK, "lacks": WARNING, "gone": WARNING, "bad": WARNING}
    }
    assert found["lacks"].do == f"{lacks} -m pip install mlops_jupyter"


def test_the_look_asks_jupyter_where_things_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "config"))
    write(tmp_path / "share" / "labextensions" / "mlops-jupyter" / "package.json", {})
    write(tmp_path / "config" / "labconfig" / "page_config.json", {"disabledExtensions": {"mlops-jupyter": True}})
    write(tmp_path / "share" / "kernels" / "odd" / "kernel.json", {"argv": ["/no/python"], "language": "python"})
    found = {finding.name: finding for finding in front.look()}
    assert found["labextension"].what == "disabled"
    assert found["kernel odd"].state is WARNING


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    doctor.add_to(parser.add_subparsers())
    args = parser.parse_args(["doctor", *words])
    return args.act(args), capsys.readouterr().out


def test_the_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    code, text = run(monkeypatch, capsys, "--json")
    assert code == 0
    assert not (tmp_path / ".mlops").exists()
    assert {"name": "python", "state": "ok", "what": sys.version.split()[0], "do": ""} in json.loads(text)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "localhost:5000")
    code, text = run(monkeypatch, capsys)
    assert code == 1
    [at] = [n for n, line in enumerate(text.splitlines()) if line.startswith("fault")]
    assert text.splitlines()[at].split()[1] == "mlflow"
    assert "-> write http://localhost:5000" in text.splitlines()[at + 1]


def test_a_look_that_breaks_hides_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[CheckResult]:
        yield CheckResult("a", OK, "seen before")
        raise ValueError("surprise")

    monkeypatch.setattr(packages, "look", broken)
    names = {finding.name: finding for finding in examine(folder, "sqlite:///none.db")}
    assert names["packages"].what == "cannot be checked: ValueError: surprise"
    assert "a" in names
    assert "disk" in names
