"""A dozen histories of our own notebooks: no slice of any gives a wrong value. `make corpus` plays sixty of others'."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.cases.idioms import IDIOMS
from tests.corpus import histories
from tests.services.export.recorded import notebook

OWN = [Path(__file__).parents[1] / "kernel" / "notebooks" / f"{name}.ipynb" for name in ("steps", "proving")]


@pytest.mark.parametrize("seed", range(12))
def test_no_slice_gives_a_wrong_value(seed: int, tmp_path: Path) -> None:
    histories.prepare()
    path = OWN[seed] if seed < len(OWN) else tmp_path / "here" / "mixed.ipynb"
    if seed >= len(OWN):  # idioms one after another, whose names collide
        path.parent.mkdir()
        chosen = random.Random(seed).sample(IDIOMS, 5)
        path.write_text(json.dumps(notebook([cell for idiom in chosen for cell in idiom.cells])))
    found = histories.judge(path, seed, most=2)
    assert (found["wrong"], found["fault"]) == ([], ""), found


def test_a_history_follows_from_its_seed() -> None:
    cells = [f"x = {100 * number}" for number in range(20)]
    first, again, *others = [histories.history(cells, seed) for seed in (1, 1, 2, 3, 4, 5)]
    assert first == again
    assert first not in others
    assert any(set(made) - set(cells) for made in others), "a cell was edited"
    assert any(len(made) > len(set(made)) for made in others), "a cell was run again"
    assert all(set(cells) - set(made) for made in others), "a cell was left out"
