"""What the panel asks the Jupyter server: the state of a notebook's project, and word when it changes.

State lies on disk: the kernel writes the ledger, the server only reads it. On request the server also keeps schedulers
(`scheduler`). Importing this package is cheap;
jupyter_server and tornado come with `setup`, which only a server calls.
"""

from __future__ import annotations

from typing import Any


def setup(server_app: Any) -> None:
    """Put the endpoints under `<base_url>/mlops-jupyter/` of a Jupyter server.

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
