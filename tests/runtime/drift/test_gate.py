"""`check_drift` as a bundle runs it: alone, in its own process, logging what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.runtime import tracking
from mlops_jupyter.runtime.drift import DriftFoundError, DriftVerdict, IncomparableDataError, check_drift
from mlops_jupyter.services.export.runtime_files import files

RNG = np.random.default_rng(0)
BEFORE = pd.DataFrame({"income": RNG.normal(size=500), "a/b €": RNG.normal(size=500)})
AFTER = BEFORE.sample(frac=1, random_state=1)
MOVED = AFTER.assign(income=AFTER.income + 1)

STEP = """
import sys
import numpy as np, pandas as pd
from pathlib import Path
from carried.runtime import tracking
from carried.runtime.drift import check_drift
before = pd.DataFrame({"x": np.random.default_rng(0).normal(size=500)})
tracking.begin(Path(sys.argv[1]), "churn", "run1", "watch")
try:
    check_drift(before, before + float(sys.argv[2]), columns=["x"], alpha=0.01)
finally:
    tracking.finish()
"""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    metrics: dict[str, float] = {}
    monkeypatch.setattr(tracking, "log_metrics", metrics.update)
    return metrics


def test_stable_data_pass_and_are_logged(logged: dict[str, float], capsys: pytest.CaptureFixture[str]) -> None:
    assert check_drift(BEFORE, AFTER).verdict is DriftVerdict.STABLE
    assert logged == {"drift.share": 0.0, "drift.columns": 0.0, "drift.income": 0.0, "drift.a_b _": 0.0}
    assert capsys.readouterr().out.startswith("stable: 0 of 2 tested columns drifted")


def test_drifted_data_stop_the_run_in_one_line(logged: dict[str, float]) -> None:
    with pytest.raises(DriftFoundError) as fault:
        check_drift(BEFORE, MOVED)
    said = str(fault.value)
    assert said.startswith("the data has drifted: 1 of 2 columns, effect over 0.1: income 1.0")
    assert "\n" not in said
    assert logged["drift.share"] == 0.5
    assert logged["drift.income"] == pytest.approx(1.05, abs=0.1)


def test_a_warning_is_enough_where_asked_for(logged: dict[str, float]) -> None:
    assert check_drift(BEFORE, MOVED, warn=True).verdict is DriftVerdict.DRIFTED
    assert logged["drift.columns"] == 1.0


def test_one_column_is_not_the_whole_unless_its_share_is(logged: dict[str, float]) -> None:
    assert check_drift(BEFORE, MOVED, share=0.6).verdict is DriftVerdict.STABLE


def test_what_cannot_be_tested_does_not_pass(logged: dict[str, float]) -> None:
    few = BEFORE.head(3)
    with pytest.raises(
        IncomparableDataError, match=r"no column could be tested \('income': only 3 values in the current data"
    ):
        check_drift(BEFORE, few)
    assert check_drift(BEFORE, few, warn=True).verdict is DriftVerdict.UNTESTED


@pytest.mark.parametrize(("shift", "code"), [(0.0, 0), (1.0, 1)], ids=["stable", "drifted"])
def test_a_bundle_carries_all_it_needs(tmp_path: Path, shift: float, code: int) -> None:
    for path, content in files(["drift"]).items():
        file = tmp_path / "carried" / "runtime" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (tmp_path / "carried" / "__init__.py").touch()
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}){STEP}"
    command = [sys.executable, "-P", "-c", script, tmp_path / "t.json", str(shift)]
    alone = {"PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=alone)
    assert done.returncode == code, done.stderr
    if code:
        last = done.stderr.splitlines()[-1]
        assert last.startswith("carried.runtime.drift.gate.DriftFoundError: the data has drifted: 1 of 1 columns")
    (run,) = json.loads((tmp_path / "t.json").read_text())["runs"]
    assert {metric["key"] for metric in run["metrics"]} == {"drift.share", "drift.columns", "drift.x"}
