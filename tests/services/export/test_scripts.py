"""`%run FILE`: the file travels with the bundle, and the steps have the notebook's values; or one line says why not."""
# ruff: noqa: E501 (a table: one row a line)

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export, notebook


@dataclass(frozen=True)
class Case:
    """Files, the cells that run them (each a section), the names that count, and what the steps' text must hold."""

    name: str
    files: dict[str, str]
    cells: tuple[str, ...]
    names: str
    says: str = ""
    order: tuple[int, ...] | None = None
    steps: int | None = None
    unsaid: tuple[str, ...] = field(default=())


TOOLS = '"""Tools."""\nimport math\n\nRATE = 2\n\n\ndef area(r, rate=RATE):\n    return rate * math.floor(r)\n\n\nclass Point:\n    def __init__(self, x):\n        self.x = x\n'
LOG = "LOG = []\n\n\ndef note(x):\n    LOG.append(x)\n    return len(LOG)\n"
PREPARE = "import sys\nimport json as codec\n\nrows = [1, 2, int(sys.argv[1]) if len(sys.argv) > 1 else 3]\nif __name__ == '__main__':\n    total = sum(rows)\n"

CASES = (
    Case("definitions", {"tools.py": TOOLS}, ("%run tools.py", "x = area(2.5)", "p = Point(x)\ny = p.x + RATE"), "x y", "from play.scripts.tools import area", steps=2),
    Case("definitions in a folder", {"lib/tools.py": TOOLS}, ("%run lib/tools", "x = area(2.5)"), "x", "from play.scripts.lib_tools import area"),
    Case("a constant that the notebook changes", {"tools.py": "K = 2\n\n\ndef f(x):\n    return K * x\n"}, ("%run tools.py", "K = 10", "x = f(3) + K"), "x"),
    Case("a program", {"prepare.py": PREPARE}, ("%run prepare.py", "y = codec.dumps(rows) + str(total)"), "rows total y", 'run_script("prepare", gives=["rows", "total"])'),
    Case("a program with arguments", {"prepare.py": PREPARE}, ("%run prepare.py 7", "y = sum(rows)"), "rows y", 'arguments=["7"]'),
    Case("a program not as the main one", {"prepare.py": "who = __name__\n"}, ("%run -n prepare.py",), "who", 'called="prepare"'),
    Case("run twice", {"prepare.py": PREPARE}, ("%run prepare.py 1\na = total", "%run prepare.py 2\nb = total"), "a b total"),
    Case("used in the cell itself", {"prepare.py": PREPARE}, ("%run prepare.py\ny = total + 1\ndel rows",), "y"),
    Case("bound anew in the cell", {"prepare.py": PREPARE}, ("%run prepare.py\ntotal = total + 1",), "total"),
    Case("state that its functions change", {"log.py": LOG}, ("%run log.py", "a = note(1)", "b = note(2)\nn = len(LOG)"), "a b n"),
    Case("state, a cell run twice", {"log.py": LOG}, ("%run log.py", "a = note(1)", "n = len(LOG)"), "a n", order=(0, 1, 1, 2)),
    Case("it imports its neighbour", {"tools.py": "from neighbour_of_tools import two\n\n\ndef four():\n    return two * two\n", "neighbour_of_tools.py": "two = 2\n"}, ("%run tools.py", "x = four()"), "x"),
    Case("it reads data", {"load.py": "rows = open('rows.txt').read().split()\n", "rows.txt": "a b c"}, ("%run load.py", "n = len(rows)"), "n rows"),
    Case("it draws numbers", {"draw.py": "import numpy as np\n\nx = np.random.rand(2)\n"}, ("import numpy as np\nnp.random.seed(3)", "%run draw.py", "y = np.random.rand(2) + x"), "x y"),
    Case("inside", {"use.py": "b = a * 2\ndef f():\n    return a + b\n"}, ("a = 3", "%run -i use.py", "a = 10", "c = f()"), "b c", unsaid=("run_script", "scripts")),
    Case("inside, changing in place", {"use.py": "rows.append(3)\n"}, ("rows = [1]", "%run -i use.py", "n = len(rows)"), "rows n"),
    Case("inside, with arguments", {"use.py": "import sys\nb = sys.argv[1] * a\n"}, ("a = 3", "%run -i use.py xy"), "b"),
    Case("inside, timed", {"use.py": "b = a * 2\n"}, ("a = 3", "%%time\n%run -i use.py", "c = b + 1"), "b c"),
    Case("a notebook", {"other.ipynb": "c = [n]\n%who\n---\n%%time\nc.append(2)"}, ("n = 1", "%run other.ipynb", "d = sum(c)"), "c d"),
    Case("a file that a cell wrote", {}, ("%%writefile made.py\ndef f():\n    return 5\n", "%run made.py", "x = f()"), "x"),
    Case("an instance", {"tools.py": TOOLS}, ("%run tools.py", "p = Point(3)", "p.x += 1", "q = p.x"), "q"),
    Case("mutable default", {"tools.py": "def f(x, seen=[]):\n    seen.append(x)\n    return len(seen)\n"}, ("%run tools.py", "a = f(1)", "b = f(2)"), "a b"),
)  # fmt: skip


def lay(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook(text.split("\n---\n"))) if name.endswith(".ipynb") else text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_same_values(case: Case, tmp_path: Path) -> None:
    lay(tmp_path, case.files)
    cells = [(f"# Part {chr(97 + number)}", source) for number, source in enumerate(case.cells)]
    answer = export(tmp_path, cells, case.names.split(), case.order)
    assert "fault" not in answer, answer
    for name in case.files:
        (tmp_path / name).unlink()
    proof = verify(tmp_path / "out")
    text = "".join(path.read_text() for path in sorted((tmp_path / "out" / "src" / "play" / "steps").glob("*.py")))
    assert proof.status == "identical", (proof, text)
    assert case.says in text, text
    assert case.steps is None or len(answer["steps"]) == case.steps, text
    assert not [word for word in case.unsaid if word in text], text


REFUSED = {
    "global state": (
        {"count.py": "n = 0\n\n\ndef up():\n    global n\n    n += 1\n    return n\n"},
        ("%run count.py", "x = up()"),
        "cell 1 (Part a), line 1: %run count.py: a function of that file binds its global 'n', which no cell sees",
    ),
    "changed since": (
        {"a.py": "x = 1\n"},
        ("%run a.py", "from pathlib import Path\nPath('a.py').write_text('x = 2')"),
        "%run a.py: that file was changed since: run the cell again, then export",
    ),
    "another directory": (
        {"sub/a.py": "x = 1\n"},
        ("%cd sub", "%run a.py"),
        "%run a.py was run after the notebook had changed its directory: name it in full",
    ),
    "its own place": ({"a.py": "x = __file__\n"}, ("%run -i a.py",), "asks for its own place (`__file__`)"),
    "an unknown magic in a notebook": (
        {"other.ipynb": "x = 1\n%macro m 1"},
        ("%run other.ipynb",),
        "cell 1 (Part a), other.ipynb, line 2: %macro makes a macro of earlier input",
    ),
}


@pytest.mark.parametrize(("files", "cells", "line"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, files: dict[str, str], cells: tuple[str, ...], line: str) -> None:
    lay(tmp_path, files)
    answer = export(tmp_path, [(f"# Part {chr(97 + n)}", source) for n, source in enumerate(cells)], ["x"])
    assert line in answer["fault"]
    assert not (tmp_path / "out").exists()


def test_another_text_is_another_step(tmp_path: Path) -> None:
    versions = []
    for name, rate in (("one", 1), ("two", 2)):
        folder = tmp_path / name
        folder.mkdir()
        lay(folder, {"tools.py": f"def f():\n    return {rate}\n"})
        assert "fault" not in export(folder, ["%run tools.py", "x = f()"], ["x"])
        versions.append((folder / "out" / "pipeline.yaml").read_text().split("version: ")[1].split()[0])
    assert versions[0] != versions[1]
