"""A bundle beside its notebook: the same notebook makes no difference, a changed one is told in a pipeline's words."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.services.export.bundle import manifest
from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import Cell, export

ANEW: dict[str, list[Cell]] = {
    "nothing random": [
        "import numpy as np",
        "%%pipeline a --params n=3\nx = np.arange(n)",
        "%%pipeline b\ny = x.sum()",
    ],
    "draws without a seed": ["import numpy as np", "%%pipeline a\nx = np.random.rand(3)", "%%pipeline b\ny = x.sum()"],
    "the random module": ["import random", "%%pipeline a\nx = random.random()\ny = [x] * 50"],
    "a generator without a seed": [
        "import numpy as np",
        "%%pipeline a\nrng = np.random.default_rng()\nx = rng.random()",
    ],
    "a seed": ["import numpy as np", "%%pipeline a\nnp.random.seed(3)\nx = np.random.rand(3)"],
    "the clock": ["import time", "%%pipeline a\nx = time.time()", "%%pipeline b\ny = x + 1\nz = [y] * 100"],
    "sets": ["%%pipeline a\nwords = {'pear', 'apple', 'fig'}\nfirst = sorted(words)[0]"],
    "a model": [
        "import numpy as np\nfrom sklearn.linear_model import LinearRegression",
        "%%pipeline a\nx = np.arange(6.0).reshape(-1, 1)\nmodel = LinearRegression().fit(x, x.ravel())",
        "%%pipeline b\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot(x)\nplt.show()",
    ],
    "an environment variable and an option": [
        "import os\nimport pandas as pd\nos.environ['A'] = 'b'\npd.set_option('display.precision', 2)",
        "%%pipeline a\nx = pd.DataFrame({'v': [1.234, os.environ['A'] == 'b']})",
    ],
}


@pytest.mark.parametrize("name", ANEW)
def test_the_same_notebook_again_is_no_difference(tmp_path: Path, name: str) -> None:
    assert "fault" not in export(tmp_path, ANEW[name], None)
    found = export(tmp_path, ANEW[name], None, ask="comparison", bundle=str(tmp_path / "out"))
    assert found["same"], found
    again = export(tmp_path, ANEW[name], None, update=True, name="")
    assert again["changes"] == "0 files written, 0 deleted"


CELLS: list[Cell] = [
    "import numpy as np",
    "%%pipeline load --params n=3\nrows = np.arange(n)",
    "%%pipeline clean\nkept = rows[rows > 0]",
    "%%pipeline total\ntotal = int(kept.sum())",
    "%%pipeline draw\nnoise = np.random.rand(2)",
]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    answer = export(folder, CELLS, None, schedule="0 6 * * 1", targets=["airflow"], alert="HOOK")
    assert "fault" not in answer, answer
    return folder


def changed(cells: list[Cell], *pairs: tuple[str, str]) -> list[Cell]:
    found = []
    for cell in map(str, cells):
        for old, new in pairs:
            cell = cell.replace(old, new)
        found.append(cell)
    return list(found)


FEW = {"pipeline.yaml": "changed", "src/play/pipeline.py": "changed", "README.md": "changed", "dags/play.py": "changed"}

CHANGES: dict[str, tuple[list[Cell], dict[str, Any]]] = {
    "nothing": (CELLS, {"same": True, "files": {}, "values": {}}),
    "a comment": (
        changed(CELLS, ("kept = ", "# those above\nkept = ")),
        {"same": False, "values": {}, "parameters": {}, "added": [], "removed": [], "renamed": {}},
    ),
    "a parameter": (
        changed(CELLS, ("n=3", "n=4")),
        {
            "parameters": {"n": [3, 4]},
            "values": {"total": ["3", "6"]},
            "schedule": None,
            "files": {**FEW, "tests/notebook.py": "changed"},
        },
    ),
    "a step more": (
        [*CELLS, "%%pipeline say\nsaid = str(total)"],
        {"added": ["say"], "removed": [], "changed": {}, "outputs": {"total": ["total", None], "said": [None, "say"]}},
    ),
    "a step less": (
        changed(CELLS[:2], ("rows", "kept")) + CELLS[3:],
        {"added": [], "removed": ["clean"], "renamed": {}},
    ),
    "a step of another name": (
        changed(CELLS, ("pipeline clean", "pipeline tidy")),
        {"added": [], "removed": [], "renamed": {"clean": "tidy"}, "parameters": {}},
    ),
    "limits": (
        changed(CELLS, ("pipeline clean", "pipeline clean --retries 2")),
        {"facts": {"clean": {"resources": [{}, {"retries": 2}]}}, "changed": {}, "values": {}},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told(first: Path, tmp_path: Path, name: str) -> None:
    cells, expected = CHANGES[name]
    shutil.copytree(first, tmp_path / "p")
    found = export(tmp_path / "p", cells, None, ask="comparison", bundle=str(tmp_path / "p" / "out"))
    assert {key: found[key] for key in expected} == expected, found
    assert found["same"] is (name == "nothing")
    assert found["conflicts"] == {}
    assert found["runtime"] is False


def test_the_difference_of_a_step_is_that_of_its_text(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "p")
    cells = changed(CELLS, ("rows > 0", "rows > 1"))
    found = export(tmp_path / "p", cells, None, ask="comparison", bundle=str(tmp_path / "p" / "out"))
    assert found["changed"] == {
        "clean": "--- src/play/steps/clean.py (bundle)\n+++ src/play/steps/clean.py (notebook)\n@@ -1,3 +1,3 @@\n"
        " def clean(rows):\n-    kept = rows[rows > 0]\n+    kept = rows[rows > 1]\n     return kept"
    }
    assert found["values"]["total"] == ["3", "2"]


def test_an_update_keeps_a_marked_edit_and_is_proven(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "p")
    out = tmp_path / "p" / "out"
    step = out / "src" / "play" / "steps" / "total.py"
    mark = "    # keep: begin say it\n    print('a total')\n    # keep: end\n"
    step.write_text(step.read_text().replace("    total = ", mark + "    total = "))
    page = (out / "README.md").read_text() + "<!-- keep: begin who -->\nAsk Ann.\n<!-- keep: end -->\n"
    (out / "README.md").write_text(page)
    (out / "own.txt").write_text("mine")
    cells = [*changed(CELLS, ("n=3", "n=4")), "%%pipeline say\nsaid = str(total)"]
    shown = export(out.parent, cells, None, ask="comparison", bundle=str(out))
    done = export(out.parent, cells, None, update=True, name="", schedule="0 7 * * *")
    assert "fault" not in done, done
    assert mark in step.read_text()
    assert "Ask Ann." in (out / "README.md").read_text()
    assert (out / "own.txt").read_text() == "mine"
    assert (out / "dags" / "play.py").is_file()
    assert "n=4" in (out / "src/play/steps/load.py").read_text()
    assert shown["kept"] == ["README.md", "src/play/steps/total.py"]
    assert "README.md, src/play/steps/total.py keep a person's edits" in done["changes"]
    asked = manifest.read(out)
    assert (asked.request.alert, asked.targets) == ("HOOK", ("airflow",))
    assert asked.request.schedule is not None
    assert asked.request.schedule.cron == "0 7 * * *"
    assert verify(out).status == "identical"


def test_a_conflict_is_told_and_refused(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "p")
    out = tmp_path / "p" / "out"
    step = out / "src" / "play" / "steps" / "clean.py"
    step.write_text(step.read_text().replace("rows > 0", "rows >= 0"))
    cells = changed(CELLS, ("rows > 0", "rows > 1"))
    found = export(out.parent, cells, None, ask="comparison", bundle=str(out))
    path = "src/play/steps/clean.py"
    assert found["conflicts"][path].startswith("was edited outside of marked regions")
    assert "-    kept = rows[rows >= 0]\n+    kept = rows[rows > 1]" in found["changed"]["clean"]
    refused = export(out.parent, cells, None, update=True, name="")["fault"]
    assert f"is left as it is: {path!r} was edited outside of marked regions" in refused
    assert "\n" not in refused
    assert "rows >= 0" in step.read_text()
