"""A disk that fills up in the middle of a run, and a ledger of an earlier version."""

import shlex
import sqlite3
import subprocess
import sys

import pytest

from mlops_jupyter.services.schedule.models import RunPolicy
from mlops_jupyter.store import ledger

from .conftest import ROOT, Project

FILL = """
import sys
store = sys.argv[sys.argv.index("--store") + 1]
with open(store + "/fill", "wb", buffering=0) as file:
    while True:
        file.write(bytes(1 << 16))
"""

RUN = """
import sys
from pathlib import Path
from mlops_jupyter.workspace import Workspace
schedules = Workspace.open(Path.cwd()).schedules
schedules.add(Path("tiny"), "@yearly")
run = schedules.run_now("tiny")
print(run.status.value, run.reason)
"""


@pytest.mark.needs_root("it mounts a small disk of its own")
def test_a_disk_that_fills_up_in_the_middle(project: Project) -> None:
    """The ledger is on it too: how the run ended is written down as soon as there is room again."""
    (project.bundle / "src" / "tiny" / "__main__.py").write_text(FILL)
    (project.root / "run.py").write_text(RUN)
    command = f"""
set -e
mount -t tmpfs -o size=2m tmpfs {project.root}/.mlops
cd {project.root}
(until ls .mlops/store/*/fill; do sleep 0.1; done; sleep 3; rm .mlops/store/*/fill) >/dev/null 2>&1 &
PYTHONPATH={ROOT} {shlex.quote(sys.executable)} run.py
"""
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("failed ")
    assert "No space left on device" in done.stdout


def test_schedules_of_an_earlier_ledger_go_on(project: Project) -> None:
    project.workspace.close()
    file = project.root / ".mlops" / "ledger.db"
    for beside in file.parent.glob("ledger.db*"):
        beside.unlink()
    with sqlite3.connect(file) as db:
        db.executescript(ledger._migrations()[0] + "PRAGMA user_version=1;")
        row = "INSERT INTO schedule (id, bundle, cron, timezone, parameters, created) VALUES ('a', 'tiny', ?, ?, ?, 5)"
        db.execute(row, ("0 6 * * 1", "Asia/Tokyo", '{"n": "1"}'))
    db.close()
    del project.__dict__["workspace"]
    [kept] = project.schedules.list()
    assert (kept.cron, kept.timezone, kept.policy, kept.spec.concurrency) == (
        "0 6 * * 1",
        "Asia/Tokyo",
        RunPolicy(),
        1,
    )
    assert project.schedules.due_tick(kept) is not None
    assert project.schedules.run_due("a").status.value == "succeeded"
