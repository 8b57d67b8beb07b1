"""Each idiom, every cell a section: the bundle, run in a clean process, delivers the notebook's values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.cases.idioms import IDIOMS, Idiom
from tests.services.export.recorded import export

BEFORE = """
import matplotlib as mpl, pandas as pd, sklearn
pd.set_option('display.precision', 2)
sklearn.set_config(transform_output='pandas')
mpl.rcParams['figure.dpi'] = 50
"""


def test_options_that_were_set_before_recording_began(tmp_path: Path) -> None:
    scaled = "StandardScaler().fit_transform(table)"
    drawn = "import matplotlib.pyplot as plt\nwidth = plt.figure().get_dpi()"
    cells = (
        ("# A", "import pandas as pd\ntable = pd.DataFrame({'a': [1 / 3, 2]})\ntext = str(table)"),
        ("# B", f"from sklearn.preprocessing import StandardScaler\nkind = type({scaled}).__name__"),
        ("# C", f"{drawn}\npd.reset_option('display.precision')"),
        ("# D", "late = str(table)"),
    )
    answer = export(tmp_path, cells, ["text", "kind", "width", "late"], before=BEFORE)
    assert "fault" not in answer, answer
    proof = verify(tmp_path / "out")
    assert proof.status == "identical", proof
    run = json.loads((tmp_path / "out" / "tests" / "expected" / "expected.json").read_text())
    assert {row["name"]: row.get("value") for row in run}["kind"] == "DataFrame"


def test_data_that_cells_ask_after_before_they_read_it(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for name in ("raw/a.csv", "raw/b.csv", "raw/c.txt", "settings.json"):
        (tmp_path / name).write_text(name)
    cells = (
        ("# A", "import glob\nimport os\ndef tables(folder):\n    return sorted(glob.glob(f'{folder}/*.csv'))"),
        ("# B", "names = tables('raw')\nbeside = sorted(os.listdir('raw'))"),
        (
            "# C",
            "where = 'settings.json'\nif not os.path.exists(where):\n    raise FileNotFoundError(where)\nready = True",
        ),
        ("# D", "n = [len(open(name).read()) for name in [*names, where]]"),
    )
    answer = export(tmp_path, cells, ["names", "beside", "ready", "n"])
    assert "fault" not in answer, answer
    assert verify(tmp_path / "out").status == "identical"


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda i: i.name.replace(" ", "-"))
def test_idiom(idiom: Idiom, tmp_path: Path) -> None:
    cells = [(f"# Part {chr(97 + number)}", source) for number, source in enumerate(idiom.cells)]
    answer = export(tmp_path, cells, idiom.names, idiom.order)
    assert "fault" not in answer, answer
    proof = verify(tmp_path / "out")
    assert proof.status == "identical", proof
    assert {o.name for o in proof.outputs} == set(idiom.names)
