"""Real servers on loopback that take alerts: one for mail, one for the web."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.receiver import Receiver


@dataclass
class Mailbox:
    """A mail server (RFC 5321, as much of it as a sender needs) and what it was given."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)


class Room:
    """A web server that takes JSON. `broken`: it answers 503."""

    broken = False

    def __init__(self) -> None:
        self.server = Receiver(status=lambda request: 503 if self.broken else 200)

    def address(self, path: str = "/room") -> str:
        return self.server.url + path

    @property
    def posts(self) -> list[tuple[str, dict]]:
        """What it was given: (path, body)."""
        return [(request["path"], request["body"]) for request in self.server.requests]

    @property
    def texts(self) -> list[str]:
        return [body["text"] for _, body in self.posts]


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper().strip()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (line := self.rfile.readline()) != b".\r\n":
                        lines.append(line.removeprefix(b"."))
                    box.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                if verb == b"QUIT":
                    return

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)) as box.port:
        yield box


@contextmanager
def web_server() -> Iterator[Room]:
    room = Room()
    with room.server:
        yield room


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
