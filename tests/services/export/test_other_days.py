"""A bundle on days that the notebook has not seen: the truth is the notebook's own cells, run in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.services.export.recorded import export

CLEAN = "a,b\n1,x\n2,y\n"
"""Data without anything to mend, on the day of export."""

DIRTY = "a,b\n1,x\n1,x\n-4,\n20,y\n"

READ = "import pandas as pd\ndf = pd.read_csv('d.csv')"

DATA = {
    "rows dropped in place": (READ, "df.drop_duplicates(inplace=True)\ndf.dropna(inplace=True)", "answer = len(df)"),
    "values set where a test holds": (READ, "df.loc[df['a'] < 0, 'a'] = 0", "answer = int(df['a'].sum())"),
    "a list that grows in a loop": (
        f"{READ}\nbad = []",
        "for name in df['b']:\n    if not isinstance(name, str):\n        bad.append(str(name))",
        "answer = bad",
    ),
    "a function that changes its argument": (
        f"{READ}\ndef clip(frame, top):\n    frame.loc[frame['a'] > top, 'a'] = top",
        "clip(df, 10)",
        "answer = int(df['a'].max())",
    ),
    "a function that sets a global variable": (
        f"{READ}\nalarm = False\ndef raise_alarm():\n    global alarm\n    alarm = True",
        "if df['a'].max() > 10:\n    raise_alarm()",
        "answer = alarm",
    ),
    "a method that collects": (
        f"{READ}\nclass Report:\n    def __init__(self):\n        self.large = []\n    def check(self, values):\n"
        "        for value in values:\n            if value > 10:\n                self.large.append(int(value))\n"
        "report = Report()",
        "report.check(df['a'])",
        "answer = report.large",
    ),
    "an alias": (f"{READ}\nfirst = df", "first.dropna(inplace=True)", "answer = len(df)"),
    "rows of a container": (
        f"{READ}\nrows = df.to_dict('records')",
        "for row in rows:\n    if row['a'] < 0:\n        row['a'] = 0",
        "answer = sum(int(row['a']) for row in rows)",
    ),
}

PARAMETERS = {
    "a column that a flag adds": (
        {"flag": True},
        "flag = False",
        "rows = {'a': 1}",
        "if flag:\n    rows['z'] = 2",
        "answer = sorted(rows)",
    ),
    "settings that are overridden": (
        {"override": {"n": 9}},
        "override = {}",
        "config = {'n': 2}",
        "config.update(override)",
        "answer = config['n']",
    ),
    "a seed that is given": (
        {"seed": 7},
        "seed = None",
        "import random\nif seed is not None:\n    random.seed(seed)",
        "draw = random.random()",
        "answer = draw if seed is not None else 0",
    ),
    "a filter of warnings": (
        {"strict": True},
        "strict = False",
        "import warnings\nif strict:\n    warnings.simplefilter('error')",
        "try:\n    warnings.warn('late')\n    answer = 'warned'\nexcept UserWarning:\n    answer = 'raised'",
    ),
    "an attribute of a function": (
        {"n": 3},
        "n = 0",
        "def f(x):\n    return x + getattr(f, 'bias', 0)",
        "if n:\n    f.bias = n",
        "answer = f(1)",
    ),
    "a patched library": (
        {"patch": True},
        "patch = False",
        "import math\nif patch:\n    math.tau = 1",
        "answer = round(math.tau, 3)",
    ),
    "a file that a flag writes": (
        {"save": True},
        "save = False",
        "rows = [1, 2]\nif save:\n    open('rows.txt', 'w').write('99')",
        "import os\nanswer = open('rows.txt').read() if os.path.exists('rows.txt') else 'none'",
    ),
    "a file that a function writes under a name that it is given": (
        {"save": True},
        "save = False",
        "def keep(rows, path):\n    with open(path, 'w') as file:\n        file.write(str(rows))",
        "if save:\n    keep([1, 2], 'rows.txt')",
        "from pathlib import Path\nfound = Path('rows.txt')\nanswer = found.read_text() if found.exists() else 'none'",
    ),
    "files that a flag writes and that are listed": (
        {"n": 2},
        "n = 0",
        "import os\nos.makedirs('parts', exist_ok=True)\nif n:\n    open('parts/first.txt', 'w').write('a')",
        "import glob\nanswer = sorted(glob.glob('parts/*.txt'))",
    ),
    "a file that a flag removes": (
        {"drop": True},
        "drop = False",
        "with open('made.txt', 'w') as file:\n    file.write('m')",
        "import os\nif drop:\n    os.remove('made.txt')",
        "import os\nanswer = os.path.exists('made.txt')",
    ),
    "a logger's level": (
        {"verbose": True},
        "verbose = False",
        "import logging\nlog = logging.getLogger('other.days')\nif verbose:\n    log.setLevel(10)",
        "answer = logging.getLogger('other.days').level",
    ),
}


def truth(folder: Path, cells: tuple[str, ...], parameters: Mapping[str, object]) -> Any:
    """Run the cells as one program, with the parameters set after the first cell."""
    lines = [cells[0], *(f"{name} = {value!r}" for name, value in parameters.items()), *cells[1:]]
    program = "\n".join([*lines, "import json\nprint('TRUTH' + json.dumps(answer))"])
    ended = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.partition("TRUTH")[2])


def ran(folder: Path, *words: str) -> Any:
    """Run the bundle; return its answer. All days share a store, whose cache must not mix them."""
    store, run = folder / "store", f"run{len(words)}"
    command = [sys.executable, "-m", "play", "run", "--store", str(store), "--run", run, *words]
    ended = subprocess.run(command, cwd=folder / "out" / "src", capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return json.loads((store / run / "outputs" / "answer.json").read_text())


@pytest.mark.parametrize("cells", DATA.values(), ids=DATA)
def test_newer_data(cells: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(CLEAN)
    answer = export(tmp_path, [(f"# Part {n}", cell) for n, cell in enumerate(cells)], ["answer"])
    assert "fault" not in answer, answer
    assert ran(tmp_path) == truth(tmp_path, cells, {})
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "d.csv").write_text(DIRTY)
    assert ran(tmp_path, "--data", str(newer)) == truth(newer, cells, {})


@pytest.mark.parametrize(("parameters", "cells"), [(row[0], row[1:]) for row in PARAMETERS.values()], ids=PARAMETERS)
def test_another_parameter(parameters: dict[str, object], cells: tuple[str, ...], tmp_path: Path) -> None:
    name, value = next(iter(parameters.items()))
    default = cells[0].partition(" = ")[2]
    first = f"%%pipeline first --params {name}={default}\nassert True"
    played = [first, *(f"%%pipeline part_{n}\n{cell}" for n, cell in enumerate(cells[1:]))]
    answer = export(tmp_path, [(f"# Part {n}", cell) for n, cell in enumerate(played)], ["answer"])
    assert "fault" not in answer, answer
    assert ran(tmp_path, "-p", f"{name}={json.dumps(value)}") == truth(tmp_path, cells, parameters)
