"""`verify` says where a value parts from the notebook's, and why: notebooks that do not give the same twice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

Change = Callable[[Path], object]

USE = "%%pipeline use\ny = [x, 1]"


def edit(path: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / path).read_text()
        assert re.search(old, text)
        (folder / path).write_text(re.sub(old, new, text))

    return change


def nothing(folder: Path) -> None:
    """Leave the bundle as it is."""


ROWS: dict[str, tuple[list[str], Change, tuple[str, str], str]] = {
    "a unique id": (
        ["%%pipeline make\nimport uuid\nx = str(uuid.uuid4())", USE],
        nothing,
        ("make", "x"),
        "that step draws from the operating system's randomness: `uuid.uuid4()` (cell 1)",
    ),
    "a generator without a seed": (
        ["%%pipeline make\nimport random\nx = random.Random().random()", USE],
        nothing,
        ("make", "x"),
        "that step draws from the operating system's randomness: `random.Random()` (cell 1)",
    ),
    "the clock, in the step that delivers": (
        ["%%pipeline make\nx = 3", "%%pipeline use\nimport time\ny = [x, time.time_ns()]"],
        nothing,
        ("use", "y"),
        "that step reads the clock: `time.time_ns()` (cell 2)",
    ),
    "a function of another cell": (
        ["import os", "def salt():\n    return os.urandom(4).hex()", "%%pipeline make\nx = salt()", USE],
        nothing,
        ("make", "x"),
        "that step draws from the operating system's randomness: `os.urandom(4)` (cell 2)",
    ),
    "the network": (
        ["%%pipeline make\nfrom urllib.request import urlopen\nx = urlopen('http://127.0.0.1:{port}/').read()", USE],
        nothing,
        ("make", "x"),
        "that step reads from the network: `urlopen('http://127.0.0.1:{port}/')` (cell 1)",
    ),
    "a file written again before the export": (
        [
            "%%pipeline make\nx = open('in.txt').read()",
            USE,
            "import subprocess\n_ = subprocess.run('sleep 0.1; echo new > in.txt', shell=True)",
        ],
        nothing,
        ("make", "x"),
        "that step reads 'in.txt', which was written again after the notebook read it",
    ),
    "a file that lies elsewhere and changed after the export": (
        ["%%pipeline make\nx = open('{folder}/beside/far.txt').read()", USE],
        edit("../../beside/far.txt", "far", "farther"),
        ("make", "x"),
        "that step reads '{folder}/beside/far.txt', which is not what it was when the notebook was exported",
    ),
    "another version of a package": (
        ["%%pipeline make\nimport numpy as np\nx = float(np.sqrt(2))", USE],
        lambda out: (
            edit("tests/expected/steps.json", r'"numpy": ".*"', '"numpy": "0.1"')(out),
            edit("src/play/steps/make.py", r"sqrt\(2\)", "sqrt(3)")(out),
        ),
        ("make", "x"),
        "that step imports numpy {numpy}, where the notebook had 0.1",
    ),
    "a random state in processes of their own": (
        [
            "%%pipeline make\nimport numpy as np\nfrom joblib import Parallel, delayed\n"
            "x = Parallel(n_jobs=2)(delayed(lambda: float(np.random.rand()))() for _ in range(2))",
            USE,
        ],
        nothing,
        ("make", "x"),
        "that step draws from a global random state that this cell has not seeded: `np.random.rand()` (cell 1)",
    ),
    "a change in place that no cell made": (
        [
            "%%pipeline use\nimport threading\ny = [1]\n_timer = threading.Timer(0.3, y.append, [2])\n_timer.start()",
            "import time\ntime.sleep(1)",
        ],
        nothing,
        ("use", "y"),
        "the notebook changed it in place after the cell that made it had ended: the pipeline gives what the cell made",
    ),
    "who knows": (
        ["%%pipeline make\nx = 3", USE],
        edit("src/play/steps/use.py", "1", "2"),
        ("use", "y"),
        "nothing that it does is known to differ from run to run",
    ),
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that gives another number each time it is asked."""

    class Counting(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self) -> None:
            Counting.asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(str(Counting.asked).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Counting)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_difference_is_explained(
    tmp_path: Path, port: int, row: tuple[list[str], Change, tuple[str, str], str]
) -> None:
    cells, change, (step, variable), cause = row
    import numpy

    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "far.txt").write_text("far\n")
    notebook = tmp_path / "notebook"
    notebook.mkdir()
    (notebook / "in.txt").write_text("old\n")

    def filled(text: str) -> str:
        known = {"{port}": str(port), "{folder}": str(tmp_path), "{numpy}": numpy.__version__}
        for key, value in known.items():
            text = text.replace(key, value)
        return text

    answer = export(notebook, list(map(filled, cells)), ["y"])
    assert "fault" not in answer, answer
    change(notebook / "out")
    proof = verify(notebook / "out")
    assert proof.status == "differs", proof
    assert proof.parted == {"step": step, "variable": variable}
    assert proof.cause == filled(cause)
    assert (proof.outputs[0].parted, proof.outputs[0].cause) == (proof.parted, proof.cause)


@pytest.mark.parametrize("words", [[], ["--fresh-env"]], ids=["here", "in an environment without our packages"])
def test_the_command_line_says_it_in_one_line(tmp_path: Path, words: list[str]) -> None:
    answer = export(tmp_path, ["%%pipeline make\nimport time\nx = time.time_ns()", USE], ["y"])
    assert answer["notes"] == ["make: reads the clock: `time.time_ns()` (cell 1)"]
    done = subprocess.run(
        [sys.executable, "-m", "mlops_jupyter", "verify", "out", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r"differs    y: \[0\]: \d+ became \d+; parts first in step 'make' \(variable 'x'\); "
        r"that step reads the clock: `time\.time_ns\(\)` \(cell 1\)",
        done.stdout.splitlines()[0],
    )


def test_a_value_that_did_not_part_is_not_explained(tmp_path: Path) -> None:
    assert "fault" not in export(tmp_path, ["%%pipeline make\nx = 3", USE], ["y"])
    known = json.loads((tmp_path / "out" / "tests" / "expected" / "steps.json").read_text())
    assert set(known["make"]["values"]) == {"x"}
    assert set(known["use"]["values"]) == {"y"}
    proof = verify(tmp_path / "out")
    assert (proof.status, proof.parted, proof.cause, proof.outputs[0].why) == ("identical", None, "", "")
