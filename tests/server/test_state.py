"""`GET state`: what is read from the ledger, and the statuses of faults."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest
from tornado.httpclient import HTTPClientError

from mlops_jupyter.surfaces.server import readonly_ledger
from mlops_jupyter.workspace import Workspace

NOT_RECORDED = {"state": "absent", "executions": 0, "last": None}


@pytest.fixture
def state(jp_fetch):
    """Ask for the state of a notebook."""

    async def ask(path: str) -> dict:
        response = await jp_fetch("mlops-jupyter", "state", params={"notebook": path})
        assert response.code == 200
        assert response.headers["Content-Type"].startswith("application/json")
        return json.loads(response.body)

    return ask


@pytest.fixture
def refused(jp_fetch):
    """Ask for what is refused: the status and the line for the user."""

    async def ask(params: dict[str, str]) -> tuple[int, str]:
        with pytest.raises(HTTPClientError) as fault:
            await jp_fetch("mlops-jupyter", "state", params=params)
        return fault.value.code, json.loads(fault.value.response.body)["message"]

    return ask


@pytest.fixture
def gone():
    """The id of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


async def test_nothing_recorded_and_nothing_created(state, notebook, jp_root_dir):
    notebook("plain/a.ipynb")
    assert await state("plain/a.ipynb") == {
        "notebook": "plain/a.ipynb",
        "project": None,
        "session": None,
        "recorder": NOT_RECORDED,
        "steps": [],
        "runs": [],
    }
    assert list(jp_root_dir.rglob(".mlops")) == []


async def test_a_project_without_a_ledger_yet(state, notebook):
    (notebook("a.ipynb").parent / ".mlops").mkdir()
    found = await state("a.ipynb")
    assert (found["project"], found["recorder"]) == (None, NOT_RECORDED)


async def test_all_of_a_recorded_notebook(state, notebook, record):
    file = notebook("churn/notebooks/train.ipynb")
    project = record(file.parents[1])
    session = project.session(str(file))
    project.execution(session)
    project.execution(session, status="error", step="train", error="ValueError: no <rows>")
    project.step(session, "train", 1, "failed", ["customers", "~numpy.random"], ["model"])
    project.step(session, "load", 0, "fresh", ["~file:data/customers.csv"], ["customers"])
    project.run("first", started=1.0, metrics=[("auc", 0.5), ("auc", 0.91), ("loss", 0.3)], parameters={"depth": "3"})
    project.run("second", status="running", started=2.0)
    found = await state("churn/notebooks/train.ipynb")
    assert found["project"] == "churn"
    assert found["session"]["id"] == session
    assert found["recorder"] == {
        "state": "on",
        "executions": 2,
        "last": {"status": "error", "step": "train", "error": "ValueError: no <rows>", "ended": 100.5, "seconds": 0.5},
    }
    assert [(s["name"], s["state"], s["inputs"], s["outputs"]) for s in found["steps"]] == [
        ("load", "fresh", ["~file:data/customers.csv"], ["customers"]),
        ("train", "failed", ["customers", "~numpy.random"], ["model"]),
    ]
    assert [(r["name"], r["status"], r["metrics"], r["parameters"]) for r in found["runs"]] == [
        ("second", "running", {}, {}),
        ("first", "finished", {"auc": 0.91, "loss": 0.3}, {"depth": "3"}),
    ]


async def test_numbers_that_json_lacks(state, notebook, record):
    project = record(notebook("a.ipynb").parent)
    project.run("odd", metrics=[("nan", None), ("up", float("inf")), ("down", float("-inf")), ("tiny", 5e-324)])
    metrics = (await state("a.ipynb"))["runs"][0]["metrics"]
    assert metrics == {"nan": "NaN", "up": "Infinity", "down": "-Infinity", "tiny": 5e-324}


async def test_the_latest_50_runs(state, notebook, record):
    project = record(notebook("a.ipynb").parent)
    for number in range(53):
        project.run(f"run {number}", started=float(number), metrics=[("n", number)])
    runs = (await state("a.ipynb"))["runs"]
    assert [run["name"] for run in runs] == [f"run {number}" for number in range(52, 2, -1)]
    assert all(run["metrics"] == {"n": float(run["name"].split()[1])} for run in runs)


async def test_of_many_values_the_newest_of_each_key_is_shown(state, notebook, record):
    project = record(notebook("a.ipynb").parent)
    run = project.run("long", status="running")
    project.workspace.ledger.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
        " INSERT INTO metric (run, key, value, time) SELECT ?, 'k' || (i % 3), i, i FROM n",
        (run,),
    )
    assert (await state("a.ipynb"))["runs"][0]["metrics"] == {"k0": 199998.0, "k1": 199999.0, "k2": 200000.0}


@dataclass(frozen=True)
class Named:
    """How a kernel may have called its notebook."""

    name: str
    told: str
    state: str


NAMED = [
    Named("absolute", "{root}/churn/sub/a.ipynb", "on"),
    Named("within the project", "sub/a.ipynb", "on"),
    Named("through a link", "{root}/link/sub/a.ipynb", "absent"),
    Named("another notebook of the name", "{root}/churn/a.ipynb", "absent"),
    Named("another of the project", "{root}/churn/sub/b.ipynb", "absent"),
]


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.name)
async def test_which_sessions_are_the_notebooks(case, state, notebook, record, jp_root_dir):
    notebook("churn/sub/a.ipynb")
    record(jp_root_dir / "churn").session(case.told.format(root=jp_root_dir))
    assert (await state("churn/sub/a.ipynb"))["recorder"]["state"] == case.state


async def test_a_session_told_through_a_link_is_found_through_it(state, notebook, record, jp_root_dir):
    notebook("churn/sub/a.ipynb")
    (jp_root_dir / "link").symlink_to(jp_root_dir / "churn")
    record(jp_root_dir / "churn").session(str(jp_root_dir / "link/sub/a.ipynb"))
    assert (await state("link/sub/a.ipynb"))["recorder"]["state"] == "on"


async def test_the_newest_session_counts(state, notebook, record, gone):
    file = notebook("a.ipynb")
    project = record(file.parent)
    newest = project.session(str(file), started=time.time())
    older = project.session(str(file), pid=gone, started=time.time() - 60)
    project.step(older, "old", 0, "fresh")
    project.step(newest, "new", 0, "fresh")
    found = await state("a.ipynb")
    assert (found["session"]["id"], [step["name"] for step in found["steps"]]) == (newest, ["new"])


async def test_a_dead_kernel_is_not_recording(state, notebook, record, gone):
    file = notebook("a.ipynb")
    project = record(file.parent)
    project.execution(project.session(str(file), pid=gone))
    assert (await state("a.ipynb"))["recorder"]["state"] == "ended"


async def test_a_later_process_with_the_same_number_is_not_the_kernel(state, notebook, record):
    file = notebook("a.ipynb")
    record(file.parent).session(str(file), started=time.time() - 86_400 * 30)
    assert (await state("a.ipynb"))["recorder"]["state"] == "ended"


async def test_a_notebook_renamed_under_its_kernel(state, notebook, record, jp_fetch, jp_serverapp):
    """The ledger knows it by its old name; the server knows which kernel it has."""
    file = notebook("Untitled.ipynb")
    body = {"path": "Untitled.ipynb", "type": "notebook", "name": "Untitled.ipynb", "kernel": {"name": "python3"}}
    started = json.loads((await jp_fetch("api", "sessions", method="POST", body=json.dumps(body))).body)
    pid = jp_serverapp.kernel_manager.get_kernel(started["kernel"]["id"]).provisioner.pid
    session = record(file.parent).session(str(file), pid=pid)
    file.rename(file.with_name("churn.ipynb"))
    await jp_fetch("api", "sessions", started["id"], method="PATCH", body=json.dumps({"path": "churn.ipynb"}))
    found = await state("churn.ipynb")
    assert (found["session"]["id"], found["recorder"]["state"]) == (session, "on")
    await jp_fetch("api", "sessions", started["id"], method="DELETE")
    assert (await state("churn.ipynb"))["recorder"]["state"] == "absent"


async def test_a_kernel_that_has_not_loaded_the_extension(state, notebook, record, jp_fetch):
    """An earlier kernel recorded; the one that runs now does not."""
    file = notebook("a.ipynb")
    record(file.parent).session(str(file))
    body = {"path": "a.ipynb", "type": "notebook", "name": "a.ipynb", "kernel": {"name": "python3"}}
    started = json.loads((await jp_fetch("api", "sessions", method="POST", body=json.dumps(body))).body)
    assert (await state("a.ipynb"))["recorder"]["state"] == "ended"
    await jp_fetch("api", "sessions", started["id"], method="DELETE")


@dataclass(frozen=True)
class Refused:
    name: str
    params: dict[str, str]
    code: int


REFUSED = [
    Refused("no notebook named", {}, 400),
    Refused("an empty name", {"notebook": ""}, 400),
    Refused("climbs", {"notebook": "../a.ipynb"}, 400),
    Refused("absolute", {"notebook": "/etc/passwd"}, 400),
    Refused("line breaks", {"notebook": "/a\r\nSet-Cookie: b"}, 400),
    Refused("absent", {"notebook": "absent.ipynb"}, 404),
    Refused("percent signs", {"notebook": "100%s.ipynb"}, 404),
    Refused("a line break within", {"notebook": "a\nb.ipynb"}, 404),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
async def test_bad_paths(case, refused):
    code, message = await refused(case.params)
    assert code == case.code
    assert repr(case.params.get("notebook", "")) in message
    assert "\n" not in message


async def test_bytes_that_are_no_text(jp_fetch, http_server_client, jp_auth_header):
    with pytest.raises(HTTPClientError) as fault:
        await http_server_client.fetch("/a%40b/mlops-jupyter/state?notebook=%ff%fe", headers=jp_auth_header)
    assert fault.value.code == 400


async def test_a_ledger_of_a_newer_version(refused, notebook, record):
    project = record(notebook("a.ipynb").parent)
    project.workspace.ledger.execute("PRAGMA user_version=999")
    code, message = await refused({"notebook": "a.ipynb"})
    assert code == 409
    assert "newer mlops_jupyter" in message
    assert "pip install -U" in message


@pytest.fixture
def one_more_migration(monkeypatch):
    """This server knows a format more than the ledger has."""
    known = readonly_ledger._migrations()
    monkeypatch.setattr(readonly_ledger, "_migrations", lambda: [*known, "CREATE TABLE later (id INTEGER);"])
    monkeypatch.setattr(readonly_ledger, "MIGRATION_SECONDS", 0.5)
    return len(known) + 1


async def test_a_ledger_of_an_older_version_is_left_as_it_is(refused, notebook, record, one_more_migration):
    file = notebook("a.ipynb")
    record(file.parent)
    code, message = await refused({"notebook": "a.ipynb"})
    assert (code, "%load_ext mlops_jupyter" in message) == (409, True)
    with sqlite3.connect(file.parent / ".mlops/ledger.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (one_more_migration - 1,)


async def test_a_ledger_that_is_being_brought_up_is_waited_for(state, notebook, record, one_more_migration):
    ledger = record(notebook("a.ipynb").parent).workspace.ledger
    asked = asyncio.ensure_future(state("a.ipynb"))
    await asyncio.sleep(0.2)
    assert not asked.done()
    ledger.execute(f"PRAGMA user_version={one_more_migration}")
    assert (await asked)["project"] == ""


async def test_a_ledger_that_is_being_created_is_not_there_yet(state, notebook):
    folder = notebook("a.ipynb").parent / ".mlops"
    folder.mkdir()
    (folder / "ledger.db").touch()
    assert (await state("a.ipynb"))["recorder"] == NOT_RECORDED
    assert [file.name for file in folder.iterdir()] == ["ledger.db"]


async def test_a_damaged_ledger(refused, notebook):
    folder = notebook("a.ipynb").parent / ".mlops"
    folder.mkdir()
    (folder / "ledger.db").write_bytes(b"no database at all" * 100)
    code, message = await refused({"notebook": "a.ipynb"})
    assert (code, "cannot open the ledger" in message) == (409, True)


async def test_rows_of_a_table_that_is_gone(refused, notebook, record):
    project = record(notebook("a.ipynb").parent)
    project.workspace.ledger.execute("DROP TABLE step_view")
    project.workspace.ledger.execute("DROP TABLE param")
    code, message = await refused({"notebook": "a.ipynb"})
    assert (code, "param" in message) == (409, True)


async def test_a_writer_is_not_held_up_and_not_waited_for(state, notebook, jp_root_dir):
    notebook("a.ipynb")
    writer = Workspace(jp_root_dir)
    with writer.ledger.transaction():
        writer.ledger.execute(
            "INSERT INTO run (id, experiment, name, started, status) VALUES ('1', 'e', 'r', 1, 'running')"
        )
        assert (await state("a.ipynb"))["runs"] == []
    assert [run["name"] for run in (await state("a.ipynb"))["runs"]] == ["r"]
    writer.close()
