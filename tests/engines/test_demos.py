"""The demos themselves: the bundle alone gives their values, so what fails with a target is the target's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engines.demos import DEMOS, DIAMOND, Demo, bundle, engine, proven


@pytest.mark.ran("python")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_plain_python(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "python")
    engine("python", "-m", demo.name, "run", "--store", tmp_path / "out", cwd=tmp_path, PYTHONPATH=str(laid / "src"))
    proven(laid, tmp_path / "out", demo)


@pytest.mark.ran("python")
def test_plain_python_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "python")
    given = [word for name, value in DIAMOND.given.items() for word in ("-p", f"{name}={json.dumps(value)}")]
    command = ["python", "-m", DIAMOND.name, "run", "--store", tmp_path / "out", *given]
    engine(*command, cwd=tmp_path, PYTHONPATH=str(laid / "src"))
    proven(laid, tmp_path / "out", DIAMOND, then=True)
