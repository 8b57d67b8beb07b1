"""Nothing heavy is imported by merely being there. Modules are asserted, never time: that is the benchmark's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "cronsim",
    "joblib",
    "jsonschema",
    "jupyter_client",
    "jupyter_server",
    "matplotlib",
    "mlflow",
    "nbformat",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "scipy",
    "skops",
    "sklearn",
    "sqlalchemy",
    "yaml",
)

SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
bare = set(sys.modules)
shell.run_line_magic("load_ext", "mlops_jupyter")
loaded = set(sys.modules) - bare
for cell in ("x = [1, 2]", "x.append(3)\\ntotal = sum(x)", "def double(n): return 2 * n\\ny = double(total)"):
    result = shell.run_cell(cell, store_history=True)
    assert result.success, result.error_in_exec or result.error_before_exec
ran = set(sys.modules) - bare
print(json.dumps([sorted(loaded), sorted(ran)]))
"""

IMPORT = "import json, sys; bare = set(sys.modules); {line}; print(json.dumps(sorted(set(sys.modules) - bare)))"


def python(code: str, folder: Path) -> list:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def heavy(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} & set(HEAVY)


def test_load_ext_and_plain_cells_import_nothing_heavy(tmp_path: Path) -> None:
    loaded, ran = python(SHELL, tmp_path)
    assert any(name.startswith("mlops_jupyter.") for name in loaded)
    assert heavy(loaded) == set()
    assert heavy(ran) == set()


@pytest.mark.parametrize(
    "line",
    [
        "import mlops_jupyter",
        "import mlops_jupyter.workspace",
        "from mlops_jupyter.services.export import targets; targets.names()",
        "from mlops_jupyter.surfaces import cli; cli.parser()",
        "import mlops_jupyter.analysis.facts.extract",
    ],
)
def test_a_door_imports_nothing_heavy(line: str, tmp_path: Path) -> None:
    assert heavy(python(IMPORT.format(line=line), tmp_path)) == set()


def test_the_front_door_imports_no_room(tmp_path: Path) -> None:
    assert [
        m for m in python(IMPORT.format(line="import mlops_jupyter"), tmp_path) if m.startswith("mlops_jupyter.")
    ] == []
