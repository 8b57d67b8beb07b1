"""Eight real notebooks of other people, exported and proven: `make corpus` does all of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.corpus.__main__ import GOOD, SAME

ROOT = Path(__file__).parents[2]

SAMPLE = (
    "imblearn-003",
    "sklearn-011",
    "sklearn-032",
    "sklearn-043",
    "sm-007",
    "sm-034",
    "sm-035",
    "sm-040",
)
"""Quick ones, in which much is hard: temporary folders, functions in estimators, figures, random states."""


def corpus(*words: str) -> str:
    """Run the corpus; return its closing line."""
    python = ROOT / ".venvs" / "corpus" / "bin" / "python"
    assert python.exists(), "make test sets up .venvs/corpus"
    done = subprocess.run([str(python), "-m", "tests.corpus", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("notebook", SAMPLE)
def test_a_real_notebook_gives_its_values(notebook: str, tmp_path: Path) -> None:
    closing = corpus("--results", str(tmp_path), notebook)
    result = json.loads((tmp_path / f"{notebook}.json").read_text())
    assert result["status"] in GOOD, result
    assert not [one for one in result["parted"] if result["marks"].get(one["name"]) in SAME], result
    assert result["steps"] > 1
    assert "0 silently wrong" in closing


def test_a_real_notebook_gives_its_values_on_other_days(tmp_path: Path) -> None:
    closing = corpus("--perturb", "--days", "2", "--results", str(tmp_path), "sm-010")
    assert closing.startswith("perturb: 1 notebooks, 0 with nothing to change, 1 tried, 2 days: ")
    assert "0 only the bundle fails, 0 silently wrong; 0 refused or failed" in closing
