"""Installed as a user installs it: the wheel alone, nothing of the project's folder or its development extras."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from tests.house.source import ROOT

BIN = Path(sys.executable).parent
LEFT_OUT = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "MLFLOW_TRACKING_URI")
CONSTRAINTS = ROOT / "requirements" / "dev.lock"

FIRST_CELLS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "mlops_jupyter")
shell.run_cell("x = 1", store_history=True).raise_error()
shell.run_line_magic("unload_ext", "mlops_jupyter")
import mlops_jupyter
print(mlops_jupyter.__file__)
"""


def run(*command: str | Path, cwd: Path) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=kept, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    run(BIN / "uv", "build", "--wheel", "--out-dir", folder / "dist", ROOT, cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    run(BIN / "uv", "venv", "--python", sys.executable, folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    run(BIN / "uv", "pip", "install", "--python", python, "--constraint", CONSTRAINTS, wheel, cwd=folder)
    return python.parent


def test_the_extension_loads_and_records(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "python", "-c", FIRST_CELLS, cwd=tmp_path)
    assert str(installed.parent) in said.splitlines()[-1]
    with closing(sqlite3.connect(tmp_path / ".mlops" / "ledger.db")) as ledger:
        assert ("x",) in ledger.execute("SELECT name FROM access WHERE kind = 'write'").fetchall()


def test_the_command_and_the_targets_are_there(installed: Path, tmp_path: Path) -> None:
    assert "verify" in run(installed / "mlops-jupyter", "--help", cwd=tmp_path)
    names = "from mlops_jupyter.services.export import targets; print([targets.find(n).name for n in targets.names()])"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = sorted(project["entry-points"]["mlops_jupyter.targets"])
    assert run(installed / "python", "-c", names, cwd=tmp_path) == f"{declared}\n"


def test_the_labextension_and_the_server_extension_lie_where_jupyter_looks(installed: Path) -> None:
    prefix = installed.parent
    panel = prefix / "share" / "jupyter" / "labextensions" / "mlops-jupyter"
    built = json.loads((panel / "package.json").read_text())["jupyterlab"]["_build"]
    assert (panel / built["load"]).is_file()
    assert json.loads((panel / "install.json").read_text())["packageName"] == "mlops_jupyter"
    configs = (prefix / "etc" / "jupyter" / "jupyter_server_config.d").glob("*.json")
    enabled = [json.loads(path.read_text())["ServerApp"]["jpserver_extensions"] for path in configs]
    assert {"mlops_jupyter": True} in enabled
