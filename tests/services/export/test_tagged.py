"""Notebooks tagged for Kale or papermill work unchanged; `%%pipeline` wins where both stand."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import yaml

from mlops_jupyter.services.export.run import local_run
from mlops_jupyter.services.export.run.verify import verify
from mlops_jupyter.services.pipeline.select import cell_tags
from tests.services.export.recorded import Cell, export

KALE: list[Cell] = [
    ("", "import numpy as np", "imports"),
    ("", "import json  # untagged: it belongs to the imports"),
    ("", "def twice(x):\n    return x * 2", "functions"),
    ("", "size = 3\nrate = 0.5", "pipeline-parameters"),
    ("", "scratch = 99", "skip"),
    ("", "rows = np.arange(size)", "step:load"),
    ("", "rows = twice(rows)  # untagged: it belongs to load"),
    ("", "print(rows)", "skip"),
    ("", "first = float(rows.sum() * rate)", "block:left", "prev:load"),
    ("", "second = json.dumps(size)", "step:right", "prev:left"),
    ("", "score = first + len(second)", "step:join", "prev:left", "prev:right"),
    ("", "print(score)\nprint('first', first)\nprint(rows)", "pipeline-metrics"),
]


def facts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "out" / "pipeline.yaml").read_text())
    return found


def test_a_kale_notebook(tmp_path: Path) -> None:
    answer = export(tmp_path, KALE, ["score", "rows"])
    assert "fault" not in answer, answer
    plan = facts(tmp_path)
    steps = {step["name"]: step for step in plan["steps"]}
    assert list(steps) == ["load", "left", "right", "join", "pipeline_metrics"]
    assert plan["parameters"] == {"size": 3, "rate": 0.5}
    assert steps["right"]["after"] == ["left"]
    text = (tmp_path / "out" / "src" / "play" / "steps" / "load.py").read_text()
    assert "untagged: it belongs to load" in text
    assert "scratch" not in text
    assert verify(tmp_path / "out").status == "identical"
    ran = local_run.run(tmp_path / "out", tmp_path / "store")
    assert ran.status == "succeeded", ran
    logged = json.loads((tmp_path / "store" / ran.run / "tracking.json").read_text())
    [run] = logged["steps"]["pipeline_metrics"]["runs"]
    assert {m["key"]: m["value"] for m in run["metrics"]} == {"score": 4.0, "first": 3.0}


def test_a_skipped_cell_that_is_needed_stays(tmp_path: Path) -> None:
    cells: list[Cell] = [("", "x = 1", "step:a"), ("", "x = x + 1", "skip"), ("", "y = x", "step:b")]
    answer = export(tmp_path, cells, ["y"])
    assert answer["notes"] == ["cell 2 is tagged skip, but cell 3 uses 'x' of it: it is kept"]
    assert verify(tmp_path / "out").status == "identical"


def test_what_only_a_skipped_cell_made_is_not_delivered(tmp_path: Path) -> None:
    answer = export(tmp_path, [("", "x = 1", "step:a"), ("", "z = 5", "skip")], None)
    assert list(answer["outputs"]) == ["x"]


def test_our_own_line_wins(tmp_path: Path) -> None:
    cells: list[Cell] = [("", "%%pipeline first\nx = 1", "step:a"), ("", "%%pipeline second\ny = x", "skip")]
    answer = export(tmp_path, cells, ["y"])
    assert answer["steps"] == ["first", "second"]


def test_tags_of_kale_mean_nothing_elsewhere(tmp_path: Path) -> None:
    answer = export(tmp_path, [("# A", "x = 1", "skip"), ("# B", "y = 2", "functions")], None)
    assert set(answer["outputs"]) == {"x", "y"}


def test_papermill(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("# Set", "size = 3\nname = 'a'", "parameters"),
        ("", "# Parameters\nsize = 7", "injected-parameters"),
        ("# Use", "rows = list(range(size))\nlabel = name * size"),
    ]
    answer = export(tmp_path, cells, ["rows", "label"])
    assert "fault" not in answer, answer
    assert facts(tmp_path)["parameters"] == {"size": 7, "name": "a"}
    assert verify(tmp_path / "out").status == "identical"
    ran = local_run.run(tmp_path / "out", tmp_path / "store", ["-p", "size=2"])
    assert ran["rows"] == [0, 1]
    many = local_run.run(tmp_path / "out", tmp_path / "store", ["--each", "size=1,2"])
    assert [row["outputs"]["rows"] for row in many.runs] == [[0], [0, 1]]
    assert many.status == "succeeded"
    assert repr(many).splitlines()[1:] == ["  1: {'label': 'a', 'rows': [0]}", "  2: {'label': 'aa', 'rows': [0, 1]}"]


def test_examples() -> None:
    assert doctest.testmod(cell_tags).failed == 0
