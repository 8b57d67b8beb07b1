"""Several kernels on one project, and one that is killed while it logs."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.surfaces.cli.headless import execute, kernel
from mlops_jupyter.workspace import Workspace

LOG = """
run = %track start {name} -e kernels
for step in range({count}):
    run.log(value=step, step=step)
    if step % 100 == 0:
        open("{name}.txt", "w").write(str(step))
"""


def test_two_kernels_write_at_once(tmp_path: Path) -> None:
    with kernel(tmp_path / "a.ipynb") as one, kernel(tmp_path / "b.ipynb") as two:
        faults: dict[str, str] = {}

        def work(name: str, client: Any) -> None:
            faults[name] = execute(client, LOG.format(name=name, count=1000), timeout=120)

        both = [threading.Thread(target=work, args=pair) for pair in (("a", one), ("b", two))]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert faults == {"a": "", "b": ""}
    ledger = sqlite3.connect(tmp_path / ".mlops" / "ledger.db")
    rows = "SELECT run.name, COUNT(*), MAX(metric.value) FROM run JOIN metric ON metric.run = run.id GROUP BY run.name"
    assert sorted(ledger.execute(rows)) == [("a", 1000, 999.0), ("b", 1000, 999.0)]
    assert ledger.execute("SELECT COUNT(DISTINCT session), COUNT(*) FROM execution").fetchone() == (2, 2)


def test_a_killed_kernel_loses_nothing_that_returned(tmp_path: Path) -> None:
    notebook, mark = tmp_path / "a.ipynb", tmp_path / "dies.txt"
    with pytest.raises(UserError, match="the kernel died"), kernel(notebook) as client:

        def kill() -> None:
            while not (mark.exists() and int(mark.read_text() or 0) >= 500):
                time.sleep(0.01)
            os.kill(client.parent.provisioner.pid, signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()
        execute(client, LOG.format(name="dies", count=1_000_000), timeout=120)
    returned = int(mark.read_text())
    with kernel(notebook) as client:  # the next start carries what is left
        assert (
            execute(client, "found = %track runs\nassert found.iloc[0]['status'] == 'killed', found", timeout=60) == ""
        )
    synced = subprocess.run(
        [sys.executable, "-m", "mlops_jupyter", "runs", "--sync"], cwd=tmp_path, capture_output=True
    )
    assert synced.returncode == 0, synced.stderr
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path / '.mlops' / 'mlflow.db'}")
    run = Workspace.open(tmp_path).tracking.run("dies").mlflow
    steps = [metric.step for metric in client.get_metric_history(run, "value")]
    assert len(steps) == len(set(steps))
    assert set(range(returned + 1)) <= set(steps)


def test_the_steps_of_a_long_notebook_are_shown_soon_and_not_after_each_cell(tmp_path: Path) -> None:
    """Slow looks at all steps are made from the kernel's loop; the last one comes though no cell follows."""
    slow = "import time\nfrom mlops_jupyter.services.pipeline.query import step_states as states\n"
    slow += "made, count = states.marked, [0]\ndef slowed(history):\n"
    slow += "    time.sleep(0.05)\n    count[0] += 1\n    return made(history)\nstates.marked = slowed"
    with kernel(tmp_path / "a.ipynb") as client:
        assert not execute(client, slow, timeout=60)
        for number in range(30):
            assert not execute(client, f"%%pipeline part_{number}\nx_{number} = {number}", timeout=60)
        shown = "SELECT count(*) FROM step_view"
        ledger = sqlite3.connect(tmp_path / ".mlops" / "ledger.db")
        until = time.monotonic() + 30
        while ledger.execute(shown).fetchone() != (30,) and time.monotonic() < until:
            time.sleep(0.05)
        assert ledger.execute(shown).fetchone() == (30,)
        assert not execute(client, "assert count[0] < 10, count", timeout=60)
