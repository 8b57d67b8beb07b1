"""Modules beside the notebook travel with the bundle, with what they import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export


def test_own_modules_travel(tmp_path: Path) -> None:
    (tmp_path / "beside_this_notebook.py").write_text("from and_its_package import inner\n\ndouble = inner.double\n")
    package = tmp_path / "and_its_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inner.py").write_text("import numpy as np\n\n\ndef double(x):\n    return int(np.int64(2) * x)\n")
    cells = ["import sys\nsys.path.insert(0, '.')", "from beside_this_notebook import double\nx = double(4)"]
    answer = export(tmp_path, cells, ["x"])
    assert "fault" not in answer, answer
    assert verify(tmp_path / "out").status == "identical"
    (tmp_path / "out").rename(tmp_path / "moved")
    (tmp_path / "beside_this_notebook.py").unlink()
    shutil.rmtree(package)
    done = subprocess.run(
        [sys.executable, "-m", "play", "run", "--store", str(tmp_path / "store")],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "moved" / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "numpy==" in (tmp_path / "moved" / "requirements.lock").read_text()


def test_a_module_that_was_written_again_is_refused(tmp_path: Path) -> None:
    cells = [
        "%%writefile twice_written.py\nk = 1",
        "import sys\nsys.path.insert(0, '.')\nimport twice_written\na = twice_written.k",
        "import time\ntime.sleep(0.05)",
        "%%writefile twice_written.py\nk = 22",
        "import importlib\nimportlib.reload(twice_written)\nb = twice_written.k",
    ]
    answer = export(tmp_path, cells, ["a", "b"])
    assert (
        "writes 'twice_written.py' anew after cell 2 used it, and a bundle has one text of each module"
        in answer["fault"]
    )


def test_a_module_without_source_is_refused(tmp_path: Path) -> None:
    cells = [
        "import sys, types\nsys.modules['made_up'] = types.ModuleType('made_up')",
        "import made_up\nx = str(made_up)",
    ]
    answer = export(tmp_path, cells, ["x"])
    assert (
        "the module 'made_up' belongs to no installed distribution and has no source to take along" in answer["fault"]
    )
