"""Cells that raise on purpose: what they did before is kept, and where they do not raise, their rest runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

N = ("# Given", "n = 0", "parameters")

# cells, which of them fail, the answer at export, the answer with n = 4
CASES: dict[str, tuple[list[Any], list[int], Any, Any]] = {
    "what it did before": (["rows = [1]", "rows.append(2)\n1 / n\nrows.append(3)", "answer = len(rows)"], [1], 2, 3),
    "a name that the rest binds": (["y = 1", "x = 5\nx = x // n\ny = 2", "answer = [x, y]"], [1], [5, 1], [1, 2]),
    "a function of it": (["def share(x):\n    return x / n\na = 1\na = share(a)", "answer = [a, share(8) if n else 0]"],
                         [0], [1, 0], [0.25, 2.0]),
    "an import of it": (["import math\nimport no_such_module_at_all", "answer = math.floor(n + 1.5)"], [0], 1, 5),
    "in a function": (["log = []\ndef w():\n    log.append(1)\n    log.append(1 / n)", "w()", "answer = len(log)"],
                      [1], 1, 2),
    "two that raise": (["v = {}", "v['a'] = 1\nv['b'] = 1 / n", "v['c'] = v['b']\nv['d'] = 1", "answer = sorted(v)"],
                       [1, 2], ["a"], ["a", "b", "c", "d"]),
    "an assertion": (["k = 1", "k = 2\nassert n, 'give n'\nk = 3", "answer = k"], [1], 2, 3),
    "sys.exit": (["import sys\nk = 1", "k = 2\nif not n:\n    sys.exit('none')\nk = 3", "answer = k"], [1], 2, 3),
    "text over lines": (["t = ''", "t = '''a\n b'''\n1 / n\nt += 'c'", "answer = t"], [1], "a\n b", "a\n bc"),
}  # fmt: skip


def run(bundle: Path, store: Path, *options: str) -> Any:
    command = [sys.executable, "-m", "play", "run", "--store", str(store), *options]
    done = subprocess.run(command, cwd=bundle / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(next(store.glob("*/outputs/answer.json")).read_text())


@pytest.mark.parametrize("name", CASES)
def test_a_cell_that_raises_is_kept(name: str, tmp_path: Path) -> None:
    cells, fails, today, other_day = CASES[name]
    headed = [N, *((f"# Part {number}", cell) for number, cell in enumerate(cells))]
    answer = export(tmp_path, headed, ["answer"], fails=[n + 1 for n in fails], allow_errors=True)
    assert "fault" not in answer
    assert run(tmp_path / "out", tmp_path / "today") == today
    assert run(tmp_path / "out", tmp_path / "other", "-p", "n=4") == other_day


def test_it_is_the_same_as_in_the_notebook(tmp_path: Path) -> None:
    cells = ["rows = [1]", ("# Fails", "rows.append(2)\n1 / 0"), ("# Report", "n = len(rows)")]
    export(tmp_path, cells, ["n"], fails=[1], allow_errors=True)
    assert verify(tmp_path / "out").status == "identical"


REFUSED: dict[str, tuple[list[Any], list[int], bool, str]] = {
    "without the option": (
        ["rows = [1]", "rows.append(2)\n1 / 0", "n = len(rows)"],
        [1],
        False,
        "cell 2 failed half way (ZeroDivisionError: division by zero) and changed 'rows'",
    ),
    "a name that is there on other days only": (
        ["k = 0", "1 / k\nz = 1", "n = 1\nn = z"],
        [1, 2],
        True,
        "cell 3 uses 'z', which exists only where cell 2 does not raise: bind it before what raises there",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused(name: str, tmp_path: Path) -> None:
    cells, fails, allow, said = REFUSED[name]
    answer = export(tmp_path, cells, ["n"], fails=fails, allow_errors=allow)
    assert answer["fault"].startswith(said)


def test_a_tag_allows_one_cell(tmp_path: Path) -> None:
    cells = ["rows = [1]", ("# Fails", "rows.append(2)\n1 / 0", "raises-exception"), ("# Report", "n = len(rows)")]
    answer = export(tmp_path, cells, ["n"], fails=[1])
    assert "fault" not in answer
    assert verify(tmp_path / "out").status == "identical"
