"""A store in S3: a real server on loopback, reached through a door that breaks when it is told to."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.demos import DIAMOND, ENGINES, LINEAR, ROOT, Demo, bundle, engine

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
URI = "s3://results/store"

MB = 2**20


class Door:
    """A port of this machine that leads to the server. `refuse` connections are broken at once; after `room` bytes
    towards the server everything stands still, and `unpicklable` is told.
    """

    def __init__(self, server: int) -> None:
        self.refuse = 0
        self.room: int | None = None
        self.unpicklable = threading.Event()
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse > 0:
                self.refuse -= 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, no farewell
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._server))
            threading.Thread(target=self._carry, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, False), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while data := source.recv(65536):
                if counted and self.room is not None:
                    self.room -= len(data)
                    if self.room < 0:
                        self.unpicklable.set()
                        continue
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                end.close()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The port of moto's S3."""
    assert ENGINES.is_dir(), "the engines are not installed: run `make .venvs/engines/.locked`"
    path = f"{ENGINES}{os.pathsep}{os.environ['PATH']}"
    command = ["moto_server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, env={**os.environ, "PATH": path}, stderr=subprocess.PIPE, text=True)
    try:
        said = next(line for line in process.stderr if "Running on" in line)
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield int(re.search(r":(\d+)", said.partition("//")[2])[1])
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def door(server) -> Iterator[Door]:
    """A door to an empty bucket."""
    made = Door(server)
    script = "import s3fs; f = s3fs.S3FileSystem(); f.exists('results') and f.rm('results', True); f.mkdir('results')"
    engine("python", "-c", script, cwd=Path("/"), **environment(made))
    yield made
    made.close()


def environment(door: Door) -> dict[str, str]:
    return {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{door.port}", "PYTHONPATH": str(ROOT)}


def script(door: Door, text: str, code: int = 0) -> str:
    head = (
        "from mlops_jupyter.runtime.hashing import content_digest as digest\n"
        "from mlops_jupyter.runtime.storage.store import Store\n"
        "from mlops_jupyter.runtime.storage.objects import *\n"
    )
    return engine(
        "python", "-c", f"{head}store = Store({URI!r})\n{text}", cwd=Path("/"), code=code, **environment(door)
    )


def run(door: Door, demo: Demo, folder: Path, *words: str, code: int = 0) -> str:
    laid = folder / demo.name if (folder / demo.name).is_dir() else bundle(demo, folder, "python")
    env = environment(door) | {"PYTHONPATH": str(laid / "src")}
    return engine("python", "-m", demo.name, "run", "--store", URI, *words, cwd=folder, code=code, **env)


VALUES = """
import json
names = json.loads(store.read("one", "outputs/outputs.json"))["outputs"]
print(json.dumps({e["name"]: json.loads(store.read("one", "outputs/" + e["file"])) for e in names}))
"""


@pytest.mark.ran("s3 store")
def test_a_run_keeps_its_results_in_s3(door, tmp_path):
    first = run(door, LINEAR, tmp_path, "--run", "one")
    assert first.count(": done") == 3
    assert json.loads(script(door, VALUES)) == LINEAR.values
    assert run(door, LINEAR, tmp_path, "--run", "two").count(": cached") == 3
    script(door, "name = store._place.names('objects')[0]\nkey = store._place.names(f'objects/{name}')[0]\n"
                 "data = store.get(name + key)\nstore._place.write(f'objects/{name}/{key}', data[:-1])")  # fmt: skip
    assert "succeeded" in run(door, LINEAR, tmp_path, "--run", "three")


@pytest.mark.slow
@pytest.mark.ran("s3 store")
def test_connections_that_break_cost_nothing_but_time(door, tmp_path):
    door.refuse = 12
    run(door, DIAMOND, tmp_path, "--run", "one")
    assert door.refuse == 0
    assert json.loads(script(door, VALUES)) == DIAMOND.values


@pytest.mark.slow
@pytest.mark.ran("s3 store")
def test_a_server_that_is_not_there_is_one_line(door, tmp_path):
    door.close()
    said = run(door, LINEAR, tmp_path, code=2)
    assert re.fullmatch(r"error: .*is the store 's3://results/store' writable, with room on its disk\?\n", said), said


@pytest.mark.ran("s3 store")
def test_a_large_artifact_goes_up_in_parts(door):
    said = script(
        door,
        f"""
data = bytes(range(256)) * {120 * MB // 256}
key = store.put(data)
assert store.get(key) == data
print(store._place._fs.info(f"results/store/objects/{{key[:2]}}/{{key[2:]}}")["ETag"])
""",
    )
    assert re.search(r"-3\W*$", said), "an etag ends with the number of parts"


@pytest.mark.ran("s3 store")
@pytest.mark.parametrize("megabytes", [20, 120], ids=["whole", "in parts"])
def test_a_writer_killed_half_way_leaves_nothing_that_is_read(door, megabytes):
    data = f"bytes(range(256)) * {megabytes * MB // 256}"
    door.room = megabytes * MB // 2
    head = "from mlops_jupyter.runtime.storage.store import Store\n"
    writer = subprocess.Popen(
        [str(ENGINES / "python"), "-c", f"{head}Store({URI!r}).put({data})"], env={**os.environ, **environment(door)}
    )
    assert door.unpicklable.wait(60)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    door.room = None
    script(
        door,
        f"""
data = {data}
key = digest(data)
assert not store.keeps(key, len(data)) and store._place.names(f"objects/{{key[:2]}}") == []
try:
    store.get(key)
except DamagedObjectError as fault:
    assert "is gone from the store" in str(fault)
else:
    raise AssertionError("read")
assert store.put(data) == key and store.get(key) == data
""",
    )
