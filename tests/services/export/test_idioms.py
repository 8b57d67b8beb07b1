"""Each idiom, every cell a section: the bundle, run in a clean process, delivers the notebook's values."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.services.export.verify import verify
from tests.cases.idioms import IDIOMS, Idiom
from tests.services.export.recorded import export


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda i: i.name.replace(" ", "-"))
def test_idiom(idiom: Idiom, tmp_path: Path) -> None:
    cells = [(f"# Part {chr(97 + number)}", source) for number, source in enumerate(idiom.cells)]
    answer = export(tmp_path, cells, idiom.names, idiom.order)
    assert "fault" not in answer, answer
    proof = verify(tmp_path / "out")
    assert proof.status == "identical", proof
    assert {o.name for o in proof.outputs} == set(idiom.names)
