"""The server extension behind the panel: it serves the state of a notebook's project, and pushes that it changed.

The state is on disk: the kernel writes the ledger, the server only reads it. If configured, the server also runs
schedulers (`scheduler`). Importing this package is cheap: only `setup`, which a server calls, imports jupyter_server
and tornado.
"""

from __future__ import annotations

from typing import Any


def setup(server_app: Any) -> None:
    """Register the endpoints under `<base_url>/mlops-jupyter/` of a Jupyter server, and start its schedulers.

    Parameters
    ----------
    server_app : the `jupyter_server.serverapp.ServerApp` that loads the extension.
    """
    from mlops_jupyter.surfaces.server.handlers import routes
    from mlops_jupyter.surfaces.server.ledger_watcher import INTERVAL, LedgerWatcher
    from mlops_jupyter.surfaces.server.scheduler import start_all

    web_app = server_app.web_app
    web_app.add_handlers(".*$", routes(web_app.settings["base_url"], LedgerWatcher(INTERVAL)))
    server_app.log.info("mlops_jupyter: the MLOps panel's endpoints are up")
    start_all(server_app)
