"""`mlops-jupyter export` and `verify` as a user runs them: real kernels and processes, all kinds of bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.services.export.recorded import export as play
from tests.services.export.recorded import notebook


def cli(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "mlops_jupyter", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)


def write(folder: Path, *cells: Any, **more: Any) -> Path:
    path = folder / "work.ipynb"
    path.write_text(json.dumps({**notebook(cells), **more}))
    return path


def test_from_a_notebook_to_a_proof(tmp_path: Path) -> None:
    write(
        tmp_path,
        "%matplotlib inline\nimport numpy as np\nimport matplotlib.pyplot as plt",
        (
            "# Load\nRead the rows.",
            "rows = np.loadtxt('rows.csv', delimiter=',')\nwords = {'pear', 'apple', 'fig', 'plum'}",
        ),
        ("# Work", "total = float(rows.sum())\norder = list(words)\nnoise = np.random.rand(2)"),
        ("# Draw", "fig, ax = plt.subplots()\nax.plot(rows[:, 0])\nplt.show()"),
        ("# Say", "display(total)\nsize = len(order)"),
    )
    (tmp_path / "rows.csv").write_text("1,2\n3,4\n")
    made = cli("export", "work.ipynb", "--output", "out", "--outputs", "total,order,noise,size", "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    assert answer["steps"] == ["load", "work", "draw", "say"]
    (tmp_path / "rows.csv").unlink()  # it travels with the bundle
    proof = cli("verify", "out", "--json", cwd=tmp_path)
    facts = json.loads(proof.stdout)
    assert proof.returncode == 0, facts
    assert facts["status"] == "identical"
    assert {o["name"]: o["status"] for o in facts["outputs"]} == dict.fromkeys(
        ("total", "order", "noise", "size"), "identical"
    )
    assert facts["steps"] == 4
    assert "mlops_jupyter" not in "".join(
        p.read_text() for p in (tmp_path / "out" / "src").rglob("*.py") if "runtime" not in p.parts
    )
    run = cli("run", "out", "--store", "s", "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["status"] == "succeeded", run.stderr
    again = json.loads(cli("run", "out", "--store", "s", "--json", cwd=tmp_path).stdout)
    assert set(again["steps"].values()) == {"cached"}


def test_continuous_delivery(tmp_path: Path) -> None:
    cells = [
        "import numpy as np",
        ("# Load", "rows = [1, 2]"),
        ("# Add", "total = sum(rows)"),
        ("# Draw", "noise = np.random.rand()"),
    ]
    write(tmp_path, *cells)
    words = ["work.ipynb", "--output", "out"]
    assert cli("export", *words, "--to", "airflow", "--schedule", "0 6 * * 1", cwd=tmp_path).returncode == 0
    same = cli("diff", "work.ipynb", "out", cwd=tmp_path)
    assert (same.returncode, same.stdout) == (0, "no difference\n"), same.stderr
    write(tmp_path, *cells[:2], ("# Add", "total = sum(rows) + 1"), cells[3])
    told = cli("diff", "work.ipynb", "out", cwd=tmp_path)
    assert told.returncode == 1
    assert "step add: changed\n" in told.stdout
    assert "    +    total = sum(rows) + 1\n" in told.stdout
    assert "value total: 3 -> 4\n" in told.stdout
    facts = json.loads(cli("diff", "work.ipynb", "out", "--json", cwd=tmp_path).stdout)
    assert (facts["same"], list(facts["changed"]), facts["schedule"]) == (False, ["add"], None)
    (tmp_path / "out" / "own.txt").write_text("mine")
    done = cli("export", *words, "--update", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert " files written, 0 deleted" in done.stdout, done.stderr
    assert (tmp_path / "out" / "own.txt").is_file()
    assert (tmp_path / "out" / "dags" / "work.py").is_file()
    assert cli("diff", "work.ipynb", "out", cwd=tmp_path).returncode == 0
    assert cli("verify", "out", cwd=tmp_path).returncode == 0


NO_UPDATE = {
    "no bundle": (["diff", "work.ipynb", "nowhere"], "no bundle at 'nowhere': make one with export, without --update"),
    "no bundle to update": (["export", "work.ipynb", "-o", "nowhere", "--update"], "no bundle at 'nowhere'"),
    "a folder of others": (["diff", "work.ipynb", "."], "no bundle at '.'"),
}


@pytest.mark.parametrize("case", NO_UPDATE.values(), ids=NO_UPDATE)
def test_nothing_to_compare_with_is_said_before_the_notebook_runs(tmp_path: Path, case: tuple[list[str], str]) -> None:
    words, said = case
    write(tmp_path, "open('ran', 'w').close()")
    done = cli(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"mlops-jupyter: {said}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "ran").exists()


def test_a_slice_is_a_program(tmp_path: Path) -> None:
    write(tmp_path, "import json\nimport math", ("# Load", "rows = [1, 2]\nother = 3"), ("# Add", "total = sum(rows)"))
    made = cli("slice", "work.ipynb", "total", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout == (
        "# What made 'total': 2 of 3 executions, in the order in which they ran.\n\n"
        "# In [2]: cell 2 (Load)\nrows = [1, 2]\n\n"
        "# In [3]: cell 3 (Add)\ntotal = sum(rows)\n"
    )
    none = cli("slice", "work.ipynb", "totals", cwd=tmp_path)
    assert none.returncode == 2
    assert none.stderr.strip().splitlines()[-1] == (
        "mlops-jupyter: no cell made 'totals': the notebook has json, math, other, rows, total"
    )


def test_a_difference_is_found_and_explained(tmp_path: Path) -> None:
    play(tmp_path, [("# A", "import uuid\nx = str(uuid.uuid4())"), ("# B", "y = [1, 2, len(x)]")], ["x", "y"])
    proof = cli("verify", "out", "--json", cwd=tmp_path)
    facts = json.loads(proof.stdout)
    assert (proof.returncode, facts["status"]) == (1, "differs")
    by_name = {o["name"]: o for o in facts["outputs"]}
    assert by_name["y"]["status"] == "identical"
    assert by_name["x"]["status"] == "differs"
    assert "became" in by_name["x"]["reason"]


def test_a_notebook_of_format_3(tmp_path: Path) -> None:
    code = {"cell_type": "code", "outputs": [], "language": "python"}
    sheets = [
        [{"cell_type": "heading", "level": 2, "source": "Load"}, {**code, "input": ["a = 6\n", "b = 7"]}],
        [{"cell_type": "heading", "level": 2, "source": ["Work"]}, {**code, "input": "x = a * b"}],
    ]
    old = {"worksheets": [{"cells": cells, "metadata": {}} for cells in sheets],
           "metadata": {"name": "old"}, "nbformat": 3, "nbformat_minor": 0}  # fmt: skip
    (tmp_path / "old.ipynb").write_text(json.dumps(old))
    made = cli("export", "old.ipynb", "--output", "out", "--outputs", "x", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "cell 2 of 2 (Work)" in made.stderr
    assert json.loads((tmp_path / "out/tests/expected/expected.json").read_text())[0]["shown"] == "42"


def test_a_notebook_that_an_editor_of_windows_wrote(tmp_path: Path) -> None:
    path = write(tmp_path, "a = 1\r\ntext = '''x\r\ny'''\r\n", "%%time\r\nn = len(text) + a\r\n")
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(json.loads(path.read_text()), indent=1).replace("\n", "\r\n").encode()
    )
    made = cli("export", "work.ipynb", "--output", "out", "--outputs", "n,text", "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    proof = json.loads(cli("verify", "out", "--json", cwd=tmp_path).stdout)
    assert (proof["status"], [o["expected"] for o in proof["outputs"]]) == ("identical", ["4", repr("x\ny")])


BEFORE_ANY_KERNEL = [
    ("no such file", None, ["gone.ipynb"], "cannot read the notebook 'gone.ipynb': No such file or directory"),
    ("a folder", None, ["."], "cannot read the notebook '.': Is a directory"),
    ("not json", "{", ["bad.ipynb"], "'bad.ipynb' is no Jupyter notebook"),
    ("json, but no notebook", '{"a": 1}', ["bad.ipynb"], "'bad.ipynb' is no Jupyter notebook"),
    ("cells that are none", '{"nbformat": 4, "cells": 3}', ["bad.ipynb"], "'bad.ipynb' is no Jupyter notebook"),
    ("no cells", '{"nbformat": 4, "cells": []}', ["bad.ipynb"], "the notebook 'bad.ipynb' has no code to run"),
    (
        "prose alone",
        '{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# Title"}]}',
        ["bad.ipynb"],
        "the notebook 'bad.ipynb' has no code to run",
    ),
    ("another format", '{"nbformat": "4", "cells": []}', ["bad.ipynb"], "'bad.ipynb' is no Jupyter notebook"),
    ("nested without end", "[" * 100_000, ["bad.ipynb"], "'bad.ipynb' is no Jupyter notebook"),
    (
        "half a character",
        '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}',
        ["bad.ipynb"],
        "'bad.ipynb' is no Jupyter notebook (UnicodeEncodeError",
    ),
    (
        "another language",
        '{"nbformat": 4, "metadata": {"kernelspec": {"language": "R"}}, "cells": []}',
        ["bad.ipynb"],
        "the notebook 'bad.ipynb' is written in R, not in Python",
    ),
    ("not text", b"\xff\xfe\x00", ["bad.ipynb"], "cannot read the notebook 'bad.ipynb': it is not UTF-8 text"),
    ("an unknown target", "good", ["bad.ipynb", "--to", "airfow"], "no target 'airfow': choose from"),
    (
        "a bad cron expression",
        "good",
        ["bad.ipynb", "--schedule", "0 25 * * *"],
        "cron '0 25 * * *': hour '25' is out of range",
    ),
    (
        "a bad time zone",
        "good",
        ["bad.ipynb", "--schedule", "0 6 * * *", "--timezone", "Mars/Base"],
        "time zone 'Mars/Base' is not known",
    ),
    ("no outputs", "good", ["bad.ipynb", "--outputs", ","], "',' names nothing"),
]


@pytest.mark.parametrize(
    ("name", "text", "words", "said"), BEFORE_ANY_KERNEL, ids=[row[0] for row in BEFORE_ANY_KERNEL]
)
def test_bad_input_is_refused_at_once(name: str, text: Any, words: list[str], said: str, tmp_path: Path) -> None:
    if text is not None:
        data = json.dumps(notebook(["x = 1"])) if text == "good" else text
        (tmp_path / "bad.ipynb").write_bytes(data if isinstance(data, bytes) else data.encode())
    done = cli("export", *words, "--output", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not (tmp_path / "out").exists()


STOPPED = [
    ("raises", "x / 0", " raised ZeroDivisionError: division by zero (if it is meant to: tag it raises-exception"),
    ("is no Python", "y = = 2", " raised SyntaxError: invalid syntax ("),
    ("calls sys.exit", "import sys\nsys.exit()", " raised SystemExit"),
    ("calls sys.exit with a word", "import sys\nsys.exit('done')", " raised SystemExit: done"),
    ("calls exit", "exit()", ": it ends the kernel with exit() or quit(): take that out of it"),
    ("says quit", "quit", ": it ends the kernel with exit() or quit(): take that out of it"),
    ("interrupts itself", "raise KeyboardInterrupt", " raised KeyboardInterrupt"),
    (
        "kills the kernel",
        "import os\nos._exit(3)",
        ": the kernel died; see whether the notebook ends it or runs out of memory",
    ),
    ("takes too long", "import time\ntime.sleep(600)", ": it took longer than 3 s (give more with --timeout)"),
]


@pytest.mark.parametrize(("name", "source", "said"), STOPPED, ids=[row[0] for row in STOPPED])
def test_a_cell_that_stops_the_notebook_is_named_and_nothing_is_written(
    name: str, source: str, said: str, tmp_path: Path
) -> None:
    write(tmp_path, "x = 1", ("## Divide", source), "y = 2")
    done = cli("export", "work.ipynb", "--output", "out", "--timeout", 3, cwd=tmp_path)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"mlops-jupyter: cell 2 of 3 (Divide){said}")
    assert last.endswith("; nothing was exported")
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mlops", "work.ipynb"]


def test_a_cell_that_may_raise_is_gone_on_from(tmp_path: Path) -> None:
    write(tmp_path, "x = [1]", ("", "y = = 2", "raises-exception"), ("", "1 / 0", "raises-exception"), "n = len(x)")
    made = cli("export", "work.ipynb", "--output", "out", "--outputs", "n", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    write(tmp_path, "x = [1]", "x.append(2)\n1 / 0", "n = len(x)")
    done = cli("export", "work.ipynb", "--output", "out2", "--outputs", "n", "--allow-errors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "and raised ZeroDivisionError: division by zero" in done.stderr
    assert '"value": 2' in (tmp_path / "out2/tests/expected/expected.json").read_text()


REFUSED = [
    (
        "what IPython kept",
        ["%%time\n%%capture out\nprint(1)", "x = out.stdout"],
        ["x"],
        "cell 2 uses 'out', which holds what %%capture kept",
    ),
    (
        "nothing but definitions",
        ["import json", "def f():\n    return 1", "# so far"],
        None,
        "nothing to export: the cells",
    ),
    ("an output that no cell made", ["x = 1"], ["z"], "no cell made an output named 'z': the notebook has x"),
    (
        "an output that is an import",
        ["import json\nx = 1"],
        ["json"],
        "'json' is an import, a definition or a parameter",
    ),
    ("an output that cannot be saved", ["g = (i for i in 'ab')"], ["g"], "the output 'g' cannot be saved"),
    (
        "a magic without a meaning",
        ["x = 1", "%macro m 1"],
        ["x"],
        "cell 2, line 1: %macro makes a macro of earlier input: write a function",
    ),
    (
        "a cell magic without a meaning",
        ["x = 1", "%%script python --bg\nprint(1)"],
        ["x"],
        "cell 2, line 1: %%script in the background goes on after its cell",
    ),
]


@pytest.mark.parametrize(("name", "cells", "outputs", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_exported_says_why(
    name: str, cells: list[str], outputs: list[str] | None, said: str, tmp_path: Path
) -> None:
    answer = play(tmp_path, cells, outputs)
    assert said in answer["fault"]
    assert not (tmp_path / "out").exists()


def test_a_parameter_that_does_not_exist(tmp_path: Path) -> None:
    play(tmp_path, ["%%pipeline one --params n=2\nx = n * 2"], ["x"])
    wrong = cli("run", "out", "--store", "s", "-p", "m=3", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "'m'" in wrong.stderr
    assert "n" in wrong.stderr
    right = json.loads(cli("run", "out", "--store", "s", "-p", "n=5", "--json", cwd=tmp_path).stdout)
    index = json.loads((tmp_path / "s" / right["run"] / "outputs" / "outputs.json").read_text())
    assert json.loads((tmp_path / "s" / right["run"] / "outputs" / index["outputs"][0]["file"]).read_text()) == 10


def test_a_newer_mlops_folder_is_refused(tmp_path: Path) -> None:
    import sqlite3

    (tmp_path / ".mlops").mkdir()
    with sqlite3.connect(tmp_path / ".mlops" / "ledger.db") as db:
        db.execute("PRAGMA user_version=999")
    done = cli("runs", cwd=tmp_path)
    assert done.returncode == 2
    assert "was written by a newer mlops_jupyter (ledger format 999" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_shell_line_that_failed_is_told_of(tmp_path: Path) -> None:
    answer = play(tmp_path, ["x = 1", "!exit 3\ny = x"], ["y"])
    assert any("a shell command of it ended with code 3" in note for note in answer["notes"]), answer


def test_tags_scripts_magics_and_plots_on_a_real_kernel(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "shout_on_a_kernel.py").write_text(
        "def load_ipython_extension(shell):\n"
        "    shell.register_magic_function(lambda line: line.upper(), 'line', 'shout')\n"
    )
    write(
        tmp_path,
        ("", "%matplotlib inline\nimport matplotlib.pyplot as plt\n%load_ext shout_on_a_kernel", "imports"),
        ("", "%run tools.py", "functions"),
        ("", "size = 3", "pipeline-parameters"),
        ("", "rows = double([size])", "step:load"),
        ("", "%%capture\nplt.plot(rows)\nplt.show()\nword = %shout {size} rows", "step:draw", "prev:load"),
        ("", "print(len(rows))", "skip"),
    )
    refused = cli("export", "work.ipynb", "--output", "out", cwd=tmp_path)
    assert refused.returncode == 2
    assert "cell 5, line 3: %shout has no meaning outside IPython" in refused.stderr
    made = cli("export", "work.ipynb", "--output", "out", "--allow-ipython", "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["steps"] == ["load", "draw"]
    proof = json.loads(cli("verify", "out", "--json", cwd=tmp_path).stdout)
    assert proof["status"] == "identical", proof
    ran = json.loads(cli("run", "out", "--store", "s", "--json", cwd=tmp_path).stdout)
    assert [path.name for path in (tmp_path / "s" / ran["run"] / "displays").iterdir()] == ["draw-1.png"]
