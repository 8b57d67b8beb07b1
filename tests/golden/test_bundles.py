"""What an export looks like, word for word: `GOLDEN=write pytest tests/golden` after a change that is meant.

Left out: what depends on the versions installed (the lock, pyproject.toml, the first lines of pipeline.yaml's
requirements), where a random state stood before the notebook began, and the runtime, which has tests of its own.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mlops_jupyter.services.export.verify import verify
from tests.services.export.recorded import export

HERE = Path(__file__).parent / "bundles"

NOTEBOOKS: dict[str, tuple[list[str | tuple[str, str]], dict[str, object]]] = {
    "linear": (
        [
            "import numpy as np\nimport pandas as pd\nfrom pathlib import Path",
            ("# Weather\n## Load\nThe station's readings, one row a day.", "days = pd.DataFrame({'day': range(6), 'rain': [0, 3.5, None, 1, 0, 2]})"),
            ("## Clean", "# a missing reading was a dry day\ndays['rain'] = days['rain'].fillna(0.0)\ndays.head()"),
            ("## Summarise\nHow much fell, and on how many days.", "def wet(frame):\n    \"\"\"Days with rain.\"\"\"\n    return int((frame['rain'] > 0).sum())\n\ntotal = float(days['rain'].sum())\nwet_days = wet(days)"),
        ],
        {"schedule": "0 6 * * 1", "timezone": "Europe/Berlin"},
    ),
    "diamond": (
        [
            "from statistics import mean",
            "%%pipeline load --params size=4\nrows = list(range(size))",
            "%%pipeline left --params factor=2\nleft = [r * factor for r in rows]",
            "%%pipeline right\nright = [r + 10 for r in rows]",
            "%%pipeline join\nscore = mean(left) + mean(right)\nprint(f'the score is {score}')",
        ],
        {"outputs": ["score"], "targets": ["python"]},
    ),
    "shared": (
        [
            ("# State\n## Start", "import numpy as np\nbox = {'values': [1, 2]}\nvalues = box['values']\nnp.random.seed(4)"),
            ("## Change", "values.append(3)\ndraw = np.random.rand(2)"),
            ("## Use", "def total(scale=1):\n    return sum(box['values']) * scale + bonus\n\nbonus = 5\nresult = total() + float(draw.sum())"),
            ("## Use again", "bonus = 6\nagain = total(2)"),
        ],
        {},
    ),
}  # fmt: skip


def comparable(bundle: Path) -> dict[str, str]:
    found = {}
    for path in sorted(bundle.rglob("*")):
        name = path.relative_to(bundle).as_posix()
        if path.is_file() and not re.search(r"runtime/|initial/numpy.random|requirements.lock|pyproject.toml|tests/expected/|__pycache__", name):
            text = path.read_text()
            found[name] = re.sub(r"  - [\w.-]+==.*\n", "", text) if name == "pipeline.yaml" else text
    return found


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_bundle(name: str, tmp_path: Path) -> None:
    cells, wish = NOTEBOOKS[name]
    wish = dict(wish)
    names = wish.pop("outputs", None)
    answer = export(tmp_path, cells, names, name=name, **wish)  # type: ignore[arg-type]
    assert "fault" not in answer, answer
    found = comparable(tmp_path / "out")
    if os.environ.get("GOLDEN") == "write":
        for path, text in found.items():
            (HERE / name / path).parent.mkdir(parents=True, exist_ok=True)
            (HERE / name / path).write_text(text)
    assert found == comparable(HERE / name)
    assert verify(tmp_path / "out").status == "identical"
