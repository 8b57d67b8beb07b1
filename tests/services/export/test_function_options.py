"""Options of libraries whose values are functions: no artifact carries them, so later steps set them again."""
# ruff: noqa: E501 (a table: one row a line)

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

PANDAS = "import pandas as pd\n"
NUMPY = "import numpy as np\n"
FRAME = "text = pd.Series([1 / 3]).to_string()"


@dataclass(frozen=True)
class Case:
    """Cells (each a section), how many steps come of them, how often the steps' text sets the option."""

    name: str
    cells: tuple[str, ...]
    steps: int
    times: int
    option: str = "float_format"


CASES = (
    Case("a lambda", (PANDAS + "pd.set_option('display.float_format', lambda v: f'{v:.2f}')", FRAME), 1, 1),
    Case("by attribute", (PANDAS + "pd.options.display.float_format = lambda v: f'{v:.2f}'", FRAME), 1, 1),
    Case("a function", (PANDAS + "def brief(v):\n    return f'{v:.2f}'\npd.set_option('display.float_format', brief)", FRAME), 1, 1),
    Case("beside values", (PANDAS + "s = pd.Series([1 / 3])\npd.set_option('display.float_format', lambda v: f'{v:.2f}')", "text = s.to_string()"), 2, 2),
    Case("by a bare name", ("from pandas import Series, set_option\nset_option('display.float_format', lambda v: f'{v:.2f}')", "text = Series([1 / 3]).to_string()"), 1, 1),
    Case("reset", (PANDAS + "pd.set_option('display.float_format', lambda v: f'{v:.2f}')", "pd.reset_option('display.float_format')", FRAME), 1, 2),
    Case("a plain value in its place", (PANDAS + "pd.set_option('display.float_format', lambda v: f'{v:.2f}')", "pd.set_option('display.float_format', '{:.1f}'.format)", FRAME), 1, 2),
    Case("another option", (PANDAS + "k = 2\npd.set_option('display.float_format', lambda v: f'{v:.2f}')", "pd.set_option('display.max_rows', k)", FRAME), 3, 3),
    Case("a text's format, which is carried", (PANDAS + "x = 1\npd.set_option('display.float_format', '{:.2f}'.format)", FRAME), 2, 1),
    Case("of numpy", (NUMPY + "np.set_printoptions(formatter={'float_kind': lambda v: f'{v:.2f}'})", "text = str(np.array([1 / 3]))"), 1, 1, "formatter"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_later_steps_set_it_again(case: Case, tmp_path: Path) -> None:
    cells = [(f"# Part {chr(97 + number)}", source) for number, source in enumerate(case.cells)]
    answer = export(tmp_path, cells, ["text"])
    assert "fault" not in answer, answer
    text = "".join(path.read_text() for path in sorted((tmp_path / "out" / "src" / "play" / "steps").glob("*.py")))
    proof = verify(tmp_path / "out")
    assert proof.status == "identical", (proof, text)
    assert len(answer["steps"]) == case.steps, text
    assert text.count(case.option) == case.times, text


def test_one_that_is_set_in_a_function_is_said(tmp_path: Path) -> None:
    quiet = "def quiet():\n    pd.set_option('display.float_format', lambda v: f'{v:.2f}')\nquiet()\nn = 1"
    answer = export(tmp_path, [("# A", PANDAS + quiet), ("# B", FRAME)], ["text"])
    assert any("it sets one of pandas.options to a function" in note for note in answer["notes"]), answer
