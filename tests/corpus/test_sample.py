"""Twelve real notebooks of other people, exported and proven: `make corpus` does all of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.corpus.__main__ import GOOD, SAME

ROOT = Path(__file__).parents[2]

SAMPLE = (
    "imblearn-003",
    "imblearn-014",
    "sklearn-011",
    "sklearn-032",
    "sklearn-045",
    "sklearn-043",
    "sm-007",
    "sm-009",
    "sm-034",
    "sm-035",
    "sm-029",
    "sm-040",
)
"""Quick ones, in which much is hard: temporary folders, functions in estimators, figures, random states."""


@pytest.mark.parametrize("notebook", SAMPLE)
def test_a_real_notebook_gives_its_values(notebook: str, tmp_path: Path) -> None:
    python = ROOT / ".venvs" / "corpus" / "bin" / "python"
    assert python.exists(), "make test sets up .venvs/corpus"
    command = [str(python), "-m", "tests.corpus", "--results", str(tmp_path), notebook]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / f"{notebook}.json").read_text())
    assert result["status"] in GOOD, result
    assert not [one for one in result["parted"] if result["marks"].get(one["name"]) in SAME], result
    assert result["steps"] > 1
    assert "0 silently wrong" in done.stdout.splitlines()[-1]
