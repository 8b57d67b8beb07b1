"""One notebook a behaviour, each run on a real kernel: a cell that fails its assertion fails the test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlops_jupyter.analysis.cells.outline import outline
from mlops_jupyter.surfaces.cli.headless import execute, kernel, read

NOTEBOOKS = sorted((Path(__file__).parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    monkeypatch.setenv("MLOPS_JUPYTER_COURIER_IDLE", "5")
    with kernel(copy) as client:
        for cell in outline(read(copy)):
            fault = execute(client, cell.source, timeout=120, metadata={"cellId": cell.id, "tags": list(cell.tags)})
            if "raises-exception" not in cell.tags:
                assert not fault, f"cell {cell.number}: {fault}\n{cell.source}"
