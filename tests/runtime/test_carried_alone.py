"""The tracking rooms work as a bundle carries them: by themselves, without this package."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mlops_jupyter.services.export.runtime_files import files

SCRIPT = """
import sys
from churn.runtime import tracking
assert not {"sklearn", "numpy", "pandas", "mlflow"} & set(sys.modules), "only the standard library at load"
from churn.runtime.tracking import gates
from sklearn.linear_model import LogisticRegression
tracking.begin("tracking/train.json", "churn", "r1", "train")
model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
tracking.log_metrics({"auc": 0.9}, step=1)
gates.register_model(model, name="churn", data=([[0.0], [3.0]], [0, 1]), require=["accuracy >= 0.9"])
tracking.finish()
assert not any(name.startswith("mlops_jupyter") for name in sys.modules)
"""


def test_a_step_tracks_without_this_package(tmp_path: Path) -> None:
    for path, data in files(["tracking", "tracking.gates"]).items():
        (tmp_path / "churn/runtime" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "churn/runtime" / path).write_bytes(data)
    (tmp_path / "churn/__init__.py").touch()
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, check=True, env={"PATH": "/usr/bin:/bin"}, timeout=120)
    found = json.loads((tmp_path / "tracking/train.json").read_text())
    assert [(m["key"], m["value"], m["step"]) for m in found["runs"][0]["metrics"]] == [("auc", 0.9, 1)]
    assert [(m["name"], m["metrics"]["accuracy"], m["version"]) for m in found["models"]] == [("churn", 1.0, None)]
