"""Bad input, exported: a refusal in one line and nothing written, or a bundle that gives the notebook's values."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.cases.bad_input import FAILING, LINES, NAMES, VALUES, Bad
from tests.services.export.recorded import export


@pytest.mark.parametrize("case", (*FAILING, *VALUES, *NAMES, *LINES), ids=lambda case: case.name.replace(" ", "-"))
def test_bad_input(case: Bad, tmp_path: Path) -> None:
    cells = [(f"# Part {chr(97 + number)}", source) for number, source in enumerate(case.cells)]
    answer = export(tmp_path, cells, case.names.split(), fails=case.fails)
    if case.refused:
        assert case.refused in answer["fault"]
        assert "\n" not in answer["fault"]
        assert not (tmp_path / "out").exists()
        return
    assert "fault" not in answer, answer
    assert any(case.note in note for note in ["", *answer["notes"]] if bool(note) == bool(case.note)), answer["notes"]
    proof = verify(tmp_path / "out")
    assert proof.status == "identical", proof
    assert {output.name for output in proof.outputs} == set(case.names.split())
