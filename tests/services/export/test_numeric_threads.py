"""Threads of numerical libraries are part of what ran: set for the steps, recorded, and named where they are others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.runtime.verify.numeric_threads import differing_threads, numeric_threads
from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

USES = "import numpy as np\nx = float(np.arange(6.0) @ np.ones(6))"
SETS = "import os\nos.environ['OPENBLAS_NUM_THREADS'] = '3'"

# cells -> the variable among those of the pipeline, the notebook's process having begun with 1
VARIABLES = {
    "set in the shell": ([USES], "1"),
    "set again by a cell": ([SETS, USES], "1"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_steps_have_the_threads_that_the_notebook_began_with(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, wanted = VARIABLES[name]
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    export(tmp_path, cells, ["x"])
    text = (tmp_path / "out/src/play/pipeline.py").read_text()
    assert re.findall(r'"(OPENBLAS_NUM_THREADS|OMP_NUM_THREADS)": "(.*?)"', text) == [("OPENBLAS_NUM_THREADS", wanted)]
    assert verify(tmp_path / "out").status == "identical"


def another_value(folder: Path) -> None:
    """Let the notebook have had another value than the pipeline gives."""
    rows = json.loads((folder / "expected.json").read_text())
    rows[0] |= {"value": rows[0]["value"] + 1e-3, "fingerprint": "0" * 32}
    (folder / "expected.json").write_text(json.dumps(rows))
    steps = json.loads((folder / "steps.json").read_text())
    for facts in steps.values():
        facts["values"] = dict.fromkeys(facts["values"], "0" * 32)
    (folder / "steps.json").write_text(json.dumps(steps))


def test_others_are_named_as_the_cause(tmp_path: Path) -> None:
    export(tmp_path, [USES], ["x"])
    record = tmp_path / "out/tests/expected/threads.json"
    facts = json.loads(record.read_text())
    assert facts == json.loads(json.dumps(numeric_threads() | {"pools": facts["pools"]}))
    pools = [{"library": "openblas", "architecture": "Prescott", "threads": 64}]
    record.write_text(json.dumps({"cores": facts["cores"], "pools": pools}))
    another_value(tmp_path / "out/tests/expected")
    proof = verify(tmp_path / "out")
    assert proof.status == "differs"
    assert re.search(r"that step computed by openblas with \d+ threads? on \w+, where the notebook", proof.cause)
    assert proof.cause.endswith("where the notebook did so with 64 threads on Prescott")


MKL = {"library": "mkl", "architecture": "", "threads": 1}
RECORDS: dict[str, tuple[dict[str, Any] | None, int]] = {
    "none": (None, 0),
    "the same": (dict(numeric_threads()), 0),
    "other cores": ({**numeric_threads(), "cores": 999}, 1),
    "a library that is not there": ({**numeric_threads(), "pools": [MKL]}, 0),
}


@pytest.mark.parametrize("name", RECORDS)
def test_differences(name: str, tmp_path: Path) -> None:
    record, count = RECORDS[name]
    if record is not None:
        pools = record["pools"] if name == "a library that is not there" else []
        (tmp_path / "threads.json").write_text(json.dumps({**record, "pools": pools}))
    assert len(list(differing_threads(tmp_path))) == count
