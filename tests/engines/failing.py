"""A pipeline whose second step always fails, and one who takes down what is told of it."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from mlops_jupyter.core.plan import Parameter, Plan, Resources, Step

FAILING = Plan(
    name="Mini",
    package="mini",
    steps=(
        Step("first", "1", "def first(n):\n    return n\n", outputs=(("a",),), parameters=("n",)),
        Step(
            "again",
            "2",
            "from pathlib import Path\n\n\n"
            "def again(a):\n"
            '    tried = Path("../../tried")\n'
            '    tried.write_text((tried.read_text() if tried.exists() else "") + "x")\n'
            '    raise ValueError("no luck")\n',
            inputs={"a": "first"},
            outputs=(("b",),),
            resources=Resources(retries=2),
        ),
    ),
    parameters=(Parameter("n", 1),),
    outputs={"b": "again"},
    secrets=("ALERT_URL",),
    alert="ALERT_URL",
)
"""Its step `again` writes an x into the store, in a file `tried`, each time it is tried."""


class Receiver:
    """A web address on this machine, while it is open; `taken` is what was posted to it."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Receiver:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
