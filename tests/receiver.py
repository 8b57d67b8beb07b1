"""A web server of this machine that notes what is sent to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Answers each request; `requests` has what came, oldest first: {"method", "path", "headers", "body"}.
    `bodies` are the last of those. A body is what its JSON says, or a text. What is refused is not kept.

    Parameters
    ----------
    answer : request -> what is sent back as JSON.
    status : request -> the status of the answer.
    """

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], Any] = lambda request: {},
        status: Callable[[dict[str, Any]], int] = lambda request: 200,
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[Any] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                facts = {
                    "method": self.command,
                    "path": self.path,
                    "headers": {name.title(): value for name, value in self.headers.items()},
                }
                typed = self.headers.get("Content-Type") == "application/json"
                request = {**facts, "body": json.loads(body) if typed and body else body.decode()}
                code = status(request)
                if code < 400:
                    receiver.requests.append(request)
                    receiver.bodies.append(request["body"])
                data = json.dumps(answer(request)).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = handle_any

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()
