"""The endpoints `GET state?notebook=PATH` and the WebSocket `events?notebook=PATH`; both require a user."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async, url_path_join
from tornado import web, websocket

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.surfaces.server import state
from mlops_jupyter.surfaces.server.ledger_watcher import LedgerWatcher
from mlops_jupyter.surfaces.server.messages import Changed, Fault, encode
from mlops_jupyter.surfaces.server.notebook_path import BadPathError, NotebookPlace, locate

PREFIX = "mlops-jupyter"


def status_of(fault: UserError) -> HTTPStatus:
    """Return the HTTP status of a fault: 400 for a bad path, 404 for no such notebook, 409 for an unreadable ledger."""
    if isinstance(fault, BadPathError):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.NOT_FOUND if isinstance(fault, NotFoundError) else HTTPStatus.CONFLICT


class OfANotebook(JupyterHandler):
    """Base of both endpoints: it requires a user for every HTTP method, and finds the notebook that the query names."""

    auth_resource = "contents"  # who may read the notebook may see what was recorded of it

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Answer 403 without a user, also to the HTTP methods that Jupyter leaves open (OPTIONS)."""
        prepared = super().prepare(*args, **kwargs)
        if prepared is not None:
            await prepared
        if self.current_user is None:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)

    def place(self) -> NotebookPlace:
        """Return the location of the notebook that the query names; raise `UserError` if there is none."""
        contents = self.contents_manager
        root = Path(getattr(contents, "root_dir", None) or self.settings["server_root_dir"]).expanduser()
        return locate(root, self.get_query_argument("notebook", "", strip=False), contents.allow_hidden)

    def refuse(self, fault: UserError) -> None:
        """Answer with the HTTP status of a fault and its message."""
        self.set_status(status_of(fault))
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(encode(Fault(str(fault)))))


class StateHandler(OfANotebook, APIHandler):
    """Serves the recorded state of a notebook and its project."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with a `State`; 400 for a bad path, 404 for no such notebook, 409 for a ledger that cannot be read."""
        try:
            place = self.place()
            recorded = await asyncio.to_thread(state.read, place, await self._kernel(place))
        except UserError as fault:
            self.refuse(fault)
        else:
            self.finish(json.dumps(encode(recorded), allow_nan=False))

    async def _kernel(self, place: NotebookPlace) -> int | None:
        """Return the process id of the notebook's kernel if this server runs it here."""
        manager: Any = self.session_manager
        for session in await ensure_async(manager.list_sessions()):
            if session["path"] == place.path and session["kernel"]:
                kernel = self.kernel_manager.get_kernel(session["kernel"]["id"])
                pid = getattr(getattr(kernel, "provisioner", None), "pid", None)  # a gateway's kernel has none
                return pid if isinstance(pid, int) else None
        return None


class EventsHandler(WebSocketMixin, websocket.WebSocketHandler, OfANotebook):
    """Pushes `Changed` once at the start and after every change to the ledger of the notebook's project."""

    _stop: Callable[[], None] | None = None

    def initialize(self, watch: LedgerWatcher) -> None:
        """Take the ledger watcher that all sockets of this server share."""
        self._watch = watch

    @ws_authenticated
    @authorized
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Upgrade to a WebSocket; answer 400 and 404 as `StateHandler` does."""
        try:
            self._place = self.place()
        except UserError as fault:
            self.refuse(fault)
        else:
            upgraded = super().get(*args, **kwargs)
            if upgraded is not None:
                await upgraded

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Start listening for changes to the ledger."""
        super().open(*args, **kwargs)
        self._stop = self._watch.listen(self._place, self._tell)

    def on_message(self, message: str | bytes) -> None:
        """Ignore the message: clients ask nothing over this socket."""

    def on_close(self) -> None:
        """Stop listening for changes."""
        if self._stop is not None:
            self._stop()

    def _tell(self) -> None:
        try:
            self.write_message(json.dumps(encode(Changed())))
        except websocket.WebSocketClosedError:  # the client left without closing
            self.on_close()


def routes(base_url: str, watch: LedgerWatcher) -> list[tuple[Any, ...]]:
    """Return tornado's routes under `<base_url>/mlops-jupyter/`."""
    return [
        (url_path_join(base_url, PREFIX, "state"), StateHandler),
        (url_path_join(base_url, PREFIX, "events"), EventsHandler, {"watch": watch}),
    ]
