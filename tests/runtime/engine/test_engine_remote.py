"""A store that is not a folder of this machine: behind fsspec, the same layout and the same behaviour."""

from __future__ import annotations

import json
import subprocess
import sys
from subprocess import DEVNULL, PIPE

import pytest

SERVER = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

authorizer = DummyAuthorizer()
authorizer.add_user("store", "secret", sys.argv[1], perm="elradfmwMT")
FTPHandler.authorizer = authorizer
server = ThreadedFTPServer(("127.0.0.1", 0), FTPHandler)
print(server.address[1], flush=True)
server.serve_forever()
"""


@pytest.fixture(params=["file", "ftp"])
def address(request, tmp_path):
    """An address of an empty store: over fsspec's local file system, and over a real FTP server on loopback."""
    folder = tmp_path / "far"
    folder.mkdir()
    if request.param == "file":
        yield f"file://{folder}/store", folder / "store"
        return
    server = subprocess.Popen([sys.executable, "-W", "ignore", "-c", SERVER, str(folder)], stdout=PIPE, stderr=DEVNULL)
    try:
        port = int(server.stdout.readline())
        yield f"ftp://store:secret@127.0.0.1:{port}/store", folder / "store"
    finally:
        server.kill()
        server.communicate()


def test_a_run_and_its_tasks_on_a_remote_store(bundle, address):
    uri, folder = address
    bundle.pipeline(
        """
        Step("make", "demo.steps.make:make", "1", outputs=(("rows",), ("~file:out/note.txt",))),
        Step("use", "demo.steps.use:use", "1", inputs={"rows": "make", "~file:out/note.txt": "make"},
             outputs=(("seen",),)),
        """,
        "outputs={'seen': 'use'}",
    )
    bundle.step(
        "make", "def make():\n    print('made')\n    open('out/note.txt', 'w').write('hello')\n    return [1, 2]\n"
    )
    bundle.step("use", "def use(rows):\n    return [*rows, open('out/note.txt').read()]\n")
    done = bundle.call("run", "--store", uri, "--run", "one", "--json")
    assert done.code == 0, done.err
    assert done.status() == {"make": "done", "use": "done"}
    assert (folder / "one" / "logs" / "make.txt").read_text() == "made\n"
    entry = json.loads((folder / "one" / "outputs" / "outputs.json").read_text())["outputs"][0]
    assert json.loads((folder / "one" / "outputs" / entry["file"]).read_text()) == [1, 2, "hello"]
    for name in ("make", "use"):
        task = bundle.call("step", name, "--store", uri, "--run", "two", "--json")
        assert task.status() == {name: "cached"}
    first, second = (json.loads((folder / run / "outputs" / "outputs.json").read_text()) for run in ("one", "two"))
    assert first["outputs"] == second["outputs"]
    assert json.loads((folder / "two" / "run.json").read_text())["status"] == "succeeded"
    lost = next((folder / "objects").glob("*/*"))
    lost.write_bytes(b"")
    assert bundle.call("run", "--store", uri, "--json").answer["status"] == "succeeded"
