"""A project with a tiny bundle, and real scheduler processes over it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from mlops_jupyter.services.schedule.scheduler.service import Scheduler
from mlops_jupyter.services.schedule.service import Schedules
from mlops_jupyter.workspace import Workspace

ROOT = Path(__file__).parents[3]

MAIN = """
import json, os, subprocess, sys, time

words = sys.argv[1:]
given = dict(w.split("=", 1) for i, w in enumerate(words) if words[i - 1] == "-p")
option = {w: words[i + 1] for i, w in enumerate(words) if w in ("--store", "--run", "--data")}
with open("ran.txt", "a") as note:
    note.write(option["--run"] + "\\n")
print("a step says hello")
print("{a step may print this")
print("a warning", file=sys.stderr)
if given.get("child"):  # a step in a session and an environment of its own
    nap = "import time; time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", nap, "odd-" + given["child"]], start_new_session=True, env={})
time.sleep(float(given.get("nap", "0")))
if given.get("until"):  # it fails until it was tried so often
    with open("ran.txt") as note:
        if len(note.read().split()) < int(given["until"]):
            raise ValueError("not yet")
if given.get("fault"):
    raise ValueError(given["fault"])
report = {"run": option["--run"], "status": "succeeded", "options": option, "given": given, "command": words[0],
          "uri": os.environ["MLFLOW_TRACKING_URI"], "path": os.environ["PYTHONPATH"], "cwd": os.getcwd()}
print(json.dumps(report, indent=1))
sys.exit(int(given.get("exit", "0")))
"""

SERVE = """
import sys, json
from pathlib import Path
from mlops_jupyter.workspace import Workspace
sys.exit(Workspace.open(Path(sys.argv[1])).scheduler.serve(**json.loads(sys.argv[2])))
"""


@dataclass
class Project:
    """A folder with `.mlops`, a bundle `tiny`, and the scheduler processes started over it."""

    root: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def bundle(self) -> Path:
        return self.root / "tiny"

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace.open(self.root)

    @property
    def schedules(self) -> Schedules:
        return self.workspace.schedules

    @property
    def scheduler(self) -> Scheduler:
        return self.workspace.scheduler

    def make(self, name: str, more: str = "") -> Path:
        """Make a bundle of that name, with more lines in its pipeline.yaml."""
        package = self.root / name / "src" / name
        package.mkdir(parents=True)
        (package / "__main__.py").write_text(MAIN)
        names = ", ".join(f"{name}: null" for name in ("nap", "fault", "exit", "child", "n", "until"))
        plan = f"name: {name.title()}\npackage: {name}\nparameters: {{{names}}}\n{more}"
        (self.root / name / "pipeline.yaml").write_text(plan)
        return self.root / name

    def at(self, now: float) -> Schedules:
        """The verbs, at another time: `ago` would be `at(time.time() - ago)`."""
        return Schedules(self.workspace.ledger, self.workspace.folder, "sqlite://", now=lambda: now)

    def ran(self, name: str = "tiny") -> list[str]:
        """Ids of the runs that the bundle itself has seen."""
        note = self.root / name / "ran.txt"
        return note.read_text().split() if note.exists() else []

    def missed(self, minutes_ago: int = 10, **parameters: str):
        """Add a schedule, an hour old, with a single tick since: some minutes ago."""
        minute = time.localtime(time.time() - minutes_ago * 60).tm_min
        old = Schedules(self.workspace.ledger, self.workspace.folder, "sqlite://", now=lambda: time.time() - 45 * 60)
        return old.add(self.bundle, f"{minute} * * * *", parameters=parameters)

    def start(self, **options: object) -> subprocess.Popen[bytes]:
        """Start a real scheduler; what it says goes to `said()`."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        environment.pop("MLFLOW_TRACKING_URI", None)
        environment |= self.variables
        with (self.root / f"said-{len(self.processes)}.txt").open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(self.root), json.dumps(options)], env=environment, stderr=said
            )
        self.processes.append(process)
        return process

    def said(self, process: subprocess.Popen[bytes]) -> str:
        return (self.root / f"said-{self.processes.index(process)}.txt").read_text()

    def statuses(self) -> list[str]:
        return [run.status.value for run in self.schedules.history()]


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until it holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path / "project")
    made.make("tiny")
    Workspace(made.root).close()
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
