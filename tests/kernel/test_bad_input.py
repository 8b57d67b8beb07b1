"""What only a real kernel shows: interrupted cells, restarts, a kernel that ends, values that stall or kill one."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.run.verify import verify
from mlops_jupyter.surfaces.cli.headless import execute, kernel
from tests.services.export.recorded import notebook


def play(client: Any, cells: Sequence[str], first: int = 0) -> list[str]:
    """Run cells, each with its id in the file; return their faults."""
    return [
        execute(client, cell, timeout=120, metadata={"cellId": f"c{first + number}"})
        for number, cell in enumerate(cells)
    ]


def laid(folder: Path, cells: Sequence[str]) -> Path:
    path = folder / "work.ipynb"
    path.write_text(json.dumps(notebook(cells)))
    return path


def interrupt(client: Any, mark: Path) -> threading.Thread:
    """Interrupt the kernel once a file is there, as the button does."""

    def work() -> None:
        while not mark.exists():
            time.sleep(0.01)
        os.kill(client.parent.provisioner.pid, signal.SIGINT)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_interrupted_in_the_middle_of_a_change(tmp_path: Path) -> None:
    cells = [
        "rows, other = [], [1]",
        "while True:\n    rows.append(1)\n    len(rows) == 1000 and open('begun', 'w').close()",
        "n = len(rows)",
        "m = len(other)",
    ]
    with kernel(laid(tmp_path, cells)) as client:
        thread = interrupt(client, tmp_path / "begun")
        faults = play(client, cells)
        thread.join()
        assert faults == ["", "KeyboardInterrupt", "", ""]
        said = execute(client, "%pipeline export --outputs n --output out", timeout=60)
        assert said == (
            "UsageError: cell 2 failed half way (KeyboardInterrupt) and changed 'rows', which later cells use: "
            "run it again without a fault, then export"
        )
        assert execute(client, "%pipeline slice n", timeout=60).endswith(
            "was interrupted half way: run it to its end, then ask again"
        )
        assert play(client, ["rows = [1]", *cells[2:]], 1) == ["", "", ""]
        assert execute(client, "%pipeline export --outputs n,m --output out", timeout=60) == ""
    assert verify(tmp_path / "out").status == "identical"


def test_a_hook_that_takes_long_is_not_called_to_look_at_values(tmp_path: Path) -> None:
    cells = [
        "import time\nclass Slow:\n    def __reduce_ex__(self, protocol):\n        open('begun', 'w').close()\n"
        "        time.sleep(30)\n        return Slow, ()",
        "s = [[], Slow()]\nt = []",
        "t.append(s.pop(0))\nt[0].append(4)\ns.clear()",
        "n = len(t[0])",
    ]
    with kernel(laid(tmp_path, cells)) as client:
        assert play(client, cells) == ["", "", "", ""]
        assert execute(client, "%pipeline export --outputs n --output out", timeout=60) == ""
        assert not (tmp_path / "begun").exists()
    assert verify(tmp_path / "out").status == "identical"


def test_a_restart_between_cells(tmp_path: Path) -> None:
    cells = ["x = [1]", "x.append(2)", "y = 5", "z = y + 1"]
    path = laid(tmp_path, cells)
    with kernel(path) as client:
        assert play(client, cells) == ["", "", "", ""]
    with kernel(path) as client:  # the notebook goes on in its middle, as after a restart
        assert play(client, cells[2:], 2) == ["", ""]
        assert "no cell made 'x': the notebook has y, z" in execute(client, "%pipeline slice x")
        assert "no cell made 'x'" in execute(client, "%pipeline history x")
        assert (
            execute(client, "found = %pipeline\nassert [s.outputs for s in found.steps] == [('y', 'z')], found.steps")
            == ""
        )
        assert execute(client, "%pipeline export --output out", timeout=60) == ""
    proof = verify(tmp_path / "out")
    assert proof.status == "identical"
    assert {output.name for output in proof.outputs} == {"y", "z"}


def test_a_value_that_ends_whoever_looks_at_it_does_not_end_the_kernel(tmp_path: Path) -> None:
    cells = [
        "class Bad:\n    def __getattribute__(self, name):\n        raise SystemExit",
        "s = Bad()",
        "class Meta(type):\n    def __getattribute__(cls, name):\n        raise SystemExit",
        "class Worse(metaclass=Meta):\n    pass",
        "x = 1",
    ]
    with kernel(laid(tmp_path, cells)) as client:
        assert play(client, cells) == [""] * 5
        for asked in ("%pipeline slice x", "%pipeline export --output out"):
            assert execute(client, asked, timeout=60) == (
                "UsageError: what cell 4 changed is not known (looking at its values raised SystemExit): "
                "restart the kernel and run the notebook again"
            )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["exit()", "quit", "import os\nos._exit(3)"])
def test_a_kernel_that_ends_leaves_a_record_that_can_be_opened(source: str, tmp_path: Path) -> None:
    path = laid(tmp_path, ["x = 1", source])
    with pytest.raises(UserError, match=r"ends the kernel|the kernel died"), kernel(path) as client:
        play(client, ["x = 1", source])
    with kernel(path) as client:
        assert play(client, ["x = 2"]) == [""]
        assert execute(client, "%pipeline export --output out", timeout=60) == ""
    assert [output.expected for output in verify(tmp_path / "out").outputs] == ["2"]


LOST = (
    (
        "a fault whose text ends the process",
        "class Fault(Exception):\n    def __str__(self):\n        raise SystemExit\nrows.append(1)\nraise Fault",
        "nothing told how it ended",
    ),
    (
        "a cell that runs another and does more",
        "get_ipython().run_cell('rows' + '.append(1)')\nrows.append(2)",
        "it ran other cells, and did more than that",
    ),
)


@pytest.mark.parametrize(("name", "source", "why"), LOST, ids=[row[0] for row in LOST])
def test_what_was_not_seen_is_refused(name: str, source: str, why: str, tmp_path: Path) -> None:
    cells = ["rows = []", source, "n = len(rows)"]
    with kernel(laid(tmp_path, cells)) as client:
        play(client, cells)
        for asked in ("%pipeline slice n", "%pipeline export --output out"):
            assert execute(client, asked, timeout=60) == (
                f"UsageError: what cell 2 changed is not known ({why}): restart the kernel and run the notebook again"
            )
    assert not (tmp_path / "out").exists()


def test_a_name_that_a_widget_bound_is_refused(tmp_path: Path) -> None:
    cells = ["k = 1", "x = slider + k"]
    with kernel(laid(tmp_path, cells)) as client:
        assert play(client, cells[:1]) == [""]
        client.execute("slider = 5", silent=True, reply=True, timeout=60)  # as a callback, between two cells
        assert play(client, cells[1:], 1) == [""]
        assert execute(client, "%pipeline export --output out", timeout=60) == (
            "UsageError: cell 2 uses 'slider', which was made between two cells, by a widget or a thread: "
            "make it in a cell"
        )
    assert not (tmp_path / "out").exists()


def test_a_cell_that_only_runs_another_is_that_one(tmp_path: Path) -> None:
    cells = ["rows = []", "get_ipython().run_cell('rows' + '.append(1)')", "n = len(rows)"]
    with kernel(laid(tmp_path, cells)) as client:
        assert play(client, cells) == ["", "", ""]
        assert execute(client, "%pipeline export --outputs n --output out", timeout=60) == ""
    assert [(o.status, o.expected) for o in verify(tmp_path / "out").outputs] == [("identical", "1")]
