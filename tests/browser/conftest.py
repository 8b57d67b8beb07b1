"""A real JupyterLab or Notebook with the extension as it is installed, and a real browser to use it with."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

TOKEN = "a-token-of-the-tests"
START_SECONDS = 90
SLOW = 60_000
"""Milliseconds that a busy machine may take to start a kernel or to run a cell."""

QUIET_CONFIG = """\
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = 'jupyterlab.NeverCheckForUpdate'
c.LabApp.extension_manager = 'readonly'
c.LabApp.expose_app_in_browser = True
c.JupyterNotebookApp.expose_app_in_browser = True
c.FileContentsManager.delete_to_trash = False
c.LanguageServerManager.autodetect = False
"""

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing may come from elsewhere
]

KERNEL_READY = """() => {
  const widget = window.jupyterapp?.shell.currentWidget;
  const kernel = widget?.sessionContext?.session?.kernel;
  return kernel?.status === 'idle' && widget.sessionContext.isReady;
}"""


@dataclass(frozen=True)
class Server:
    """A running Jupyter server. `root` is the folder that it serves."""

    app: str
    url: str
    root: Path

    def address(self, notebook: str) -> str:
        """Where the browser finds a notebook."""
        where = f"lab/tree/{notebook}?reset&" if self.app == "jupyterlab" else f"notebooks/{notebook}?"
        return f"{self.url}/{where}token={TOKEN}"

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Put a notebook of code cells into the served folder; a cell that begins with `#` and a space is prose."""
        notebook = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        )
        for source in cells:
            make = nbformat.v4.new_markdown_cell if source.startswith("# ") else nbformat.v4.new_code_cell
            notebook.cells.append(make(source))
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, self.root / name)


@contextmanager
def serve(folder: Path, app: str) -> Iterator[Server]:
    """Run a server of its own settings in a folder: app is the module, `jupyterlab` or `notebook`."""
    server = Server(app, f"http://127.0.0.1:{_free_port()}", folder / "work")
    server.root.mkdir(parents=True)
    settings = folder / "lab-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    config = folder / "config.py"
    config.write_text(QUIET_CONFIG)
    log = folder / "server.log"
    # `python -m`: `jupyter lab` would run whichever environment's comes first on PATH
    command = [sys.executable, "-m", app, "--no-browser", "--allow-root", f"--config={config}"]
    command += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={server.url.rpartition(':')[2]}",
        "--ServerApp.port_retries=0",
    ]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={server.root}"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=_own(folder), cwd=server.root)
    try:
        _wait_for(server, process, log)
        yield server
    finally:
        process.terminate()  # it ends its kernels, then itself
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _own(folder: Path) -> dict[str, str]:
    """Return an environment whose settings, data and kernels' history are this folder's."""
    names = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "lab-settings",
        "JUPYTERLAB_WORKSPACES_DIR": "lab-workspaces",
        "IPYTHONDIR": "ipython",
    }
    return {**os.environ, **{name: str(folder / sub) for name, sub in names.items()}, "NO_PROXY": "127.0.0.1"}


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{server.app} ended:\n{log.read_text()}")
        try:
            urllib.request.urlopen(f"{server.url}/api/status?token={TOKEN}", timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{server.app} did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("lab"), "jupyterlab") as server:
        yield server


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("notebook"), "notebook") as server:
        yield server


@dataclass(frozen=True)
class Desk:
    """A browser page at a Jupyter front end, with the moves of its user."""

    page: Page

    def open(self, server: Server, notebook: str) -> None:
        """Open a notebook and wait until its kernel can run cells."""
        self.page.goto(server.address(notebook))
        self.ready()

    def ready(self) -> None:
        """Wait until the kernel is idle: the session's word for it, as the page's own sign lies while one starts."""
        self.page.wait_for_function(KERNEL_READY, timeout=SLOW)

    def command(self, name: str, /, **args: str) -> None:
        """Run a command of the application to its end."""
        call = f"() => window.jupyterapp.commands.execute({json.dumps(name)}, {json.dumps(args)}).then(() => true)"
        assert self.page.evaluate(call)

    def cell(self, index: int) -> Locator:
        """The cell of that number, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def select(self, index: int) -> None:
        """Make a cell the active one."""
        self.page.evaluate(f"() => {{ window.jupyterapp.shell.currentWidget.content.activeCellIndex = {index}; }}")

    def start(self, index: int) -> None:
        """Run a cell and do not wait for it."""
        self.select(index)
        self.page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-cell'); }")

    def run(self, *indexes: int) -> None:
        """Run cells one after the other, each to its end; an error in one is not a fault of the test."""
        for index in indexes:
            self.select(index)
            self.command("notebook:run-cell")

    def write(self, index: int, source: str) -> None:
        """Put another text into a cell."""
        model = f"window.jupyterapp.shell.currentWidget.content.model.cells.get({index})"
        self.page.evaluate(f"source => {model}.sharedModel.setSource(source)", source)

    def source(self, index: int) -> str:
        """The text of a cell."""
        model = f"window.jupyterapp.shell.currentWidget.content.model.cells.get({index})"
        return str(self.page.evaluate(f"() => {model}.sharedModel.getSource()"))

    def show_panel(self) -> Locator:
        """Open the MLOps panel."""
        self.command("mlops:open-panel")
        panel = self.page.locator("#mlops-jupyter-panel")
        expect(panel).to_be_visible()
        return panel


@pytest.fixture
def desk(page: Page) -> Iterator[Desk]:
    """A desk. Fails a test in which our own code logged an error or raised, or the page asked another machine.

    Jupyter's own front ends are not free of errors (Notebook 7.6 raises two when it starts, without any extension).
    """
    errors: list[str] = []
    outside: list[str] = []

    def wrong(text: str, where: str) -> None:
        if "mlops-jupyter" in where:
            errors.append(f"{text} at {where}")

    def asked(url: str) -> None:
        if re.match(r"(https?|wss?)://(?!127\.0\.0\.1[:/])", url):
            outside.append(url)

    page.on("console", lambda said: wrong(said.text, said.location["url"]) if said.type == "error" else None)
    page.on("pageerror", lambda fault: wrong(fault.message, fault.stack or ""))
    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.set_default_timeout(SLOW)
    yield Desk(page)
    assert (errors, outside) == ([], [])


@pytest.fixture(scope="session", autouse=True)
def _patience() -> None:
    expect.set_options(timeout=SLOW / 2)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.fail("no chromium: apt-get install chromium, or set CHROMIUM to a browser's path")
    return {**browser_type_launch_args, "executable_path": chromium, "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1400, "height": 900}}
