"""The socket `events`: word of every change, only while someone listens."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from tornado.httpclient import HTTPClientError

from mlops_jupyter.surfaces.server import ledger_watcher as watching
from mlops_jupyter.surfaces.server.ledger_watcher import LedgerWatcher
from mlops_jupyter.surfaces.server.notebook_path import locate

CHANGED = {"type": "changed"}
INTERVAL = 0.05
QUIET = 6 * INTERVAL
LONG = 20.0


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """Let the server look more often than it does for people."""
    monkeypatch.setattr(watching, "INTERVAL", INTERVAL)


@pytest.fixture
def listen(jp_ws_fetch, jp_asyncio_loop):
    """Open a socket on a notebook; all are closed at the end, and the server has seen it."""
    sockets = []

    async def open_socket(path: str):
        sockets.append(await jp_ws_fetch("mlops-jupyter", "events", params={"notebook": path}))
        return sockets[-1]

    yield open_socket
    for socket in sockets:
        socket.close()
    jp_asyncio_loop.run_until_complete(asyncio.sleep(4 * INTERVAL))


async def word(socket) -> dict:
    return json.loads(await asyncio.wait_for(socket.read_message(), LONG))


async def quiet(socket) -> bool:
    """Tell whether nothing comes for several looks; what comes later is kept for the next reader."""
    socket.pending = getattr(socket, "pending", None) or asyncio.ensure_future(socket.read_message())
    done, _ = await asyncio.wait({socket.pending}, timeout=QUIET)
    return not done


async def next_word(socket) -> dict:
    pending, socket.pending = socket.pending, None
    return json.loads(await asyncio.wait_for(pending, LONG))


async def test_told_at_the_start_and_after_each_commit(listen, notebook, record):
    project = record(notebook("a.ipynb").parent)
    socket = await listen("a.ipynb")
    assert await word(socket) == CHANGED
    assert await quiet(socket)
    for name in ("one", "two"):
        project.run(name)
        assert await next_word(socket) == CHANGED
        assert await quiet(socket)


async def test_told_when_the_first_ledger_appears_and_when_it_is_replaced(listen, notebook, record, jp_root_dir):
    notebook("a.ipynb")
    socket = await listen("a.ipynb")
    assert await word(socket) == CHANGED
    assert await quiet(socket)
    record(jp_root_dir).workspace.close()
    assert await next_word(socket) == CHANGED
    assert await quiet(socket)
    shutil.rmtree(jp_root_dir / ".mlops")
    assert await next_word(socket) == CHANGED
    assert await quiet(socket)
    record(jp_root_dir)
    assert await next_word(socket) == CHANGED


async def test_a_damaged_ledger_is_told_once(listen, notebook, record, jp_root_dir):
    notebook("a.ipynb")
    (jp_root_dir / ".mlops").mkdir()
    (jp_root_dir / ".mlops/ledger.db").write_bytes(b"no database" * 200)
    socket = await listen("a.ipynb")
    assert await word(socket) == CHANGED
    assert await quiet(socket)
    (jp_root_dir / ".mlops/ledger.db").unlink()
    record(jp_root_dir)
    assert await next_word(socket) == CHANGED


async def test_only_the_projects_own_listeners_are_told(listen, notebook, record):
    one, two = (record(notebook(f"{name}/a.ipynb").parent) for name in ("one", "two"))
    sockets = [await listen("one/a.ipynb"), await listen("two/a.ipynb")]
    assert [await word(socket) for socket in sockets] == [CHANGED, CHANGED]
    assert [await quiet(socket) for socket in sockets] == [True, True]
    two.run("here")
    assert await next_word(sockets[1]) == CHANGED
    assert await quiet(sockets[0])
    one.run("there")
    assert await next_word(sockets[0]) == CHANGED


@pytest.mark.parametrize(("path", "code"), [("", 400), ("../a.ipynb", 400), ("absent.ipynb", 404)])
async def test_refused_paths(path, code, listen):
    with pytest.raises(HTTPClientError) as fault:
        await listen(path)
    assert fault.value.code == code


async def test_what_a_listener_says_is_ignored(listen, notebook, record):
    project = record(notebook("a.ipynb").parent)
    socket = await listen("a.ipynb")
    await word(socket)
    await socket.write_message("DROP TABLE run")
    await socket.write_message(b"\xff\x00", binary=True)
    assert await quiet(socket)
    project.run("still here")
    assert await next_word(socket) == CHANGED


def held(ledger: Path) -> int:
    """How many descriptors of this process are open on a file."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(str(target) == str(ledger) for link in links if (target := _target(link)))


def _target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:
        return None


async def until(condition) -> None:
    for _ in range(int(LONG / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true")


async def test_one_connection_a_project_and_none_when_nobody_listens(tmp_path, record):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "n.ipynb").touch()
    record(tmp_path).workspace.close()
    ledger = tmp_path / ".mlops/ledger.db"
    watch, told = LedgerWatcher(interval=0.02), []
    assert held(ledger) == 0
    stops = [watch.listen(locate(tmp_path, f"{f}/n.ipynb"), lambda f=f: told.append(f)) for f in ("a", "b", "a")]
    await until(lambda: sorted(told) == ["a", "a", "b"])
    assert (watch.open_ledgers, held(ledger)) == ((ledger,), 1)
    for stop in (*stops, *stops):  # twice is harmless
        stop()
    await until(lambda: watch.open_ledgers == ())
    assert held(ledger) == 0
    again = watch.listen(locate(tmp_path, "a/n.ipynb"), lambda: told.append("again"))
    await until(lambda: "again" in told)
    again()
    await until(lambda: watch.open_ledgers == ())


async def test_a_listener_that_fails_does_not_silence_the_others(tmp_path, record):
    (tmp_path / "n.ipynb").touch()
    project = record(tmp_path)
    watch, told = LedgerWatcher(interval=0.02), []

    def broken() -> None:
        raise RuntimeError("gone")

    stops = [watch.listen(locate(tmp_path, "n.ipynb"), tell) for tell in (broken, lambda: told.append(1))]
    await until(lambda: told == [1])
    project.run("one")
    await until(lambda: told == [1, 1])
    for stop in stops:
        stop()
    await until(lambda: watch.open_ledgers == ())
