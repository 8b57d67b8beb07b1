"""`tests/notebook.py` of a bundle is the notebook in one process: it comes to the notebook's own values."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.export.recorded import Cell, export

CELLS: dict[str, list[Cell]] = {
    "a global that a function binds": ["n = 1", ("# Add", "def add():\n    global n\n    n += 1\nadd()"), "answer = n"],
    "a class of the notebook": [
        "class Model:\n    def __init__(self, n):\n        self.n = n",
        ("# Fit", "model = Model(3)"),
        ("# Report", "answer = model.n"),
    ],
    "random state": [
        "import random\nrandom.seed(1)",
        ("# Draw", "a = random.random()"),
        "answer = [a, random.random()]",
    ],
    "an environment variable": [
        "import os\nos.environ['PLAY_MODE'] = 'fast'",
        ("# Report", "answer = os.environ['PLAY_MODE']"),
    ],
    "a top-level await": ["import asyncio", ("# Wait", "await asyncio.sleep(0)\nanswer = 3")],
    "a shell line": ["lines = !echo a b", ("# Report", "answer = list(lines)")],
    "a builtin hidden and shown again": ["max = 3", ("# Use", "n = max\ndel max"), "answer = max(n, 2)"],
    "from the future": ["import math", "from __future__ import annotations\nanswer = math.floor(2.5)"],
    "pickles of its own classes": [
        "import pickle\nclass A:\n    n = 4",
        ("# Dump", "data = pickle.dumps(A())"),
        ("# Load", "answer = pickle.loads(data).n"),
    ],
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_it_gives_what_the_notebook_had(cells: list[Cell], tmp_path: Path) -> None:
    answer = export(tmp_path, cells, ["answer"])
    assert "fault" not in answer, answer
    done = notebook(tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "out" / "tests" / "expected" / "expected.json").read_text())
    assert json.loads((tmp_path / "store" / "r" / "outputs" / "answer.json").read_text()) == row["value"]


def test_it_leaves_the_files_of_the_bundle_alone(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("ab")
    write = "with open('d.txt', 'a') as file:\n    file.write(text)"
    export(
        tmp_path,
        ["text = open('d.txt').read()", ("# Write", write), ("# Read", "answer = open('d.txt').read()")],
        ["answer"],
    )
    kept = tmp_path / "out" / "src" / "play" / "initial" / "files" / "d.txt"
    before = kept.read_text()
    assert notebook(tmp_path).returncode == 0
    assert kept.read_text() == before


def notebook(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "play", "notebook", "--store", str(folder / "store"), "--run", "r", *words]
    return subprocess.run(command, cwd=folder / "out" / "src", capture_output=True, text=True)


PARAMETERS: dict[str, tuple[list[Cell], int]] = {
    "of a tagged cell": ([("", "n = 2\nm = n + 1", "parameters"), ("# Report", "answer = n + m")], 15),
    "of a marked cell": (["%%pipeline first --params n=2\nm = n + 1", "%%pipeline last\nanswer = n + m"], 15),
    "that a later cell changes": (
        [("", "n = 2", "parameters"), ("# More", "n = n * 10"), ("# Report", "answer = n")],
        70,
    ),
}


@pytest.mark.parametrize(("cells", "wanted"), PARAMETERS.values(), ids=PARAMETERS)
def test_it_takes_parameters(cells: list[Cell], wanted: int, tmp_path: Path) -> None:
    answer = export(tmp_path, cells, ["answer"])
    assert "fault" not in answer, answer
    done = notebook(tmp_path, "-p", "n=7")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "store" / "r" / "outputs" / "answer.json").read_text()) == wanted


def test_it_reads_as_the_notebook_does(tmp_path: Path) -> None:
    export(tmp_path, [("", "n = 2", "parameters"), ("# Square", "answer = n * n  # an area")], ["answer"])
    program = (tmp_path / "out" / "tests" / "notebook.py").read_text()
    head, *cells = program.split("\n# %% ")
    assert "__parameters__ = globals().get(\"__parameters__\", {'n': 2})" in head
    assert cells == ["cell 1\nn = __parameters__['n']\n", "cell 2: Square\nanswer = n * n  # an area\n"]
    done = subprocess.run([sys.executable, "-c", f"{program}\nprint(answer)"], capture_output=True, text=True)
    assert done.stdout == "4\n"


def test_a_bundle_without_it_says_so(tmp_path: Path) -> None:
    export(tmp_path, ["answer = 1 + 1"], ["answer"])
    (tmp_path / "out" / "tests" / "notebook.py").unlink()
    done = notebook(tmp_path)
    assert done.returncode == 2
    assert "which holds the notebook's cells: export again" in done.stderr
