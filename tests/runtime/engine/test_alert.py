"""`python -m <package> alert`: one web request that says what became of a run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.runtime.engine.conftest import Bundle


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web server on loopback, and what it was told."""
    told: list[dict[str, Any]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append(json.loads(body))
            self.send_response(404 if self.path == "/gone" else 200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def failed(bundle: Bundle) -> Bundle:
    """A bundle whose run `first` has failed."""
    bundle.step("load", "def load():\n    raise ValueError('no rows')\n")
    bundle.pipeline("Step('load', 'demo.steps.load:load', '1', outputs=(('rows',),)),")
    assert bundle.run("--run", "first").code == 1
    return bundle


def test_it_says_what_failed(failed: Bundle, receiver: tuple[str, list[dict[str, Any]]]) -> None:
    address, told = receiver
    done = failed.call("alert", "--store", str(failed.store), "--run", "first", "--to", "HOOK", env={"HOOK": address})
    assert (done.code, done.err) == (0, "")
    said = "step 'load' failed: ValueError: no rows"
    text = f"pipeline demo: run first failed: {said}"
    assert told == [{"text": text, "pipeline": "demo", "run": "first", "status": "failed", "error": said}]


def test_a_run_that_never_began(failed: Bundle, receiver: tuple[str, list[dict[str, Any]]]) -> None:
    address, told = receiver
    assert (
        failed.call("alert", "--store", str(failed.store), "--run", "other", "--to", "HOOK", env={"HOOK": address}).code
        == 0
    )
    assert told[0]["text"] == "pipeline demo: run other failed"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "error: the environment variable 'HOOK' holds no web address"),
        ("file:///etc/passwd", "error: the environment variable 'HOOK' holds no web address"),
        ("http://127.0.0.1:9", "error: the alert for run 'first' was not taken ([Errno 111] Connection refused)"),
        ("{}/gone", "error: the alert for run 'first' was not taken (Not Found)"),
    ],
)
def test_refused_in_one_line(
    failed: Bundle, receiver: tuple[str, list[dict[str, Any]]], address: str, said: str
) -> None:
    done = failed.call(
        "alert",
        "--store",
        str(failed.store),
        "--run",
        "first",
        "--to",
        "HOOK",
        env={"HOOK": address.format(receiver[0])},
    )
    assert done.code == 2
    assert done.err.startswith(said) and done.err.count("\n") == 1
