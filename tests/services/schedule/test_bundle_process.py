"""One bundle run in a real process: how it ends, and that nothing of it is left."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlops_jupyter.core.plan import Resources
from mlops_jupyter.services.schedule import bundle
from mlops_jupyter.services.schedule.options import ScheduleOptions
from mlops_jupyter.services.schedule.runner import bundle_process, process_tree

from .conftest import Project, until


def order(
    project: Project, timeout: float | None = None, grace: float = 5.0, **parameters: str
) -> bundle_process.RunRequest:
    made = bundle.read(project.bundle)
    log = project.root / "log.txt"
    return bundle_process.RunRequest(
        "r1", made, project.root / "store", parameters, None, log, "sqlite://", timeout, grace
    )


def _never() -> bool:
    return False


@pytest.mark.parametrize(
    "parameters, code, reason",
    [
        ({}, 0, ""),
        ({"exit": "3"}, 3, "exit code 3: a warning"),
        ({"fault": "no rows in 'a.csv'"}, 1, "exit code 1: ValueError: no rows in 'a.csv'"),
    ],
)
def test_how_a_run_ends(project: Project, parameters: dict[str, str], code: int, reason: str) -> None:
    outcome = bundle_process.run_bundle(order(project, **parameters), _never)
    assert (outcome.exit_code, outcome.reason) == (code, reason)


@pytest.mark.parametrize(
    "printed, found",
    [
        ('{"run": "a"}\n', {"run": "a"}),
        ('{"run": "a",\n "steps": {\n  "b": {}\n }\n}', {"run": "a", "steps": {"b": {}}}),
        ('{"first": 1}\ntext\n{"run": "a"}\nbye', {"run": "a"}),
        ('{oh\n{"run": "é"}\n{no', {"run": "é"}),
        ("x" * (bundle_process.TAIL_BYTES + 5) + '\n{"run": "a"}', {"run": "a"}),
        ("nothing", {}),
        ("", {}),
        ("[1]", {}),
    ],
)
def test_the_outcome_is_found_among_what_was_printed(project: Project, printed: str, found: dict[str, object]) -> None:
    main = project.bundle / "src" / "tiny" / "__main__.py"
    (project.bundle / "printed.txt").write_text(printed)
    main.write_text("import pathlib, sys; sys.stdout.write(pathlib.Path('printed.txt').read_text())")
    outcome = bundle_process.run_bundle(order(project), _never)
    assert (outcome.exit_code, outcome.report) == (0, found)
    assert printed in (project.root / "log.txt").read_text()


@pytest.mark.parametrize(
    "report, reason",
    [
        ({"status": "failed", "error": "parameter 'n' takes an int"}, "parameter 'n' takes an int"),
        (
            {
                "steps": [
                    {"step": "load", "error": None},
                    {"step": "fit", "error": {"type": "Refused", "message": "a < b"}},
                ]
            },
            "step 'fit': Refused: a < b",
        ),
        ({"status": "failed", "steps": []}, "exit code 1"),
    ],
)
def test_a_report_of_failure_gives_the_reason(project: Project, report: dict[str, object], reason: str) -> None:
    words = json.dumps(report)
    (project.bundle / "src" / "tiny" / "__main__.py").write_text(f"print({words!r}); raise SystemExit(1)")
    outcome = bundle_process.run_bundle(order(project), _never)
    assert outcome.reason == reason
    assert outcome.report == report


def test_a_timeout_ends_the_whole_tree(project: Project) -> None:
    started = time.monotonic()
    outcome = bundle_process.run_bundle(order(project, timeout=1.0, nap="600", child="timeout"), _never)
    assert time.monotonic() - started < 10
    assert outcome.reason == "took longer than its timeout of 1 s"
    assert outcome.exit_code != 0
    assert not _odd("odd-timeout")


def test_a_child_that_does_not_want_to_end_is_killed(project: Project) -> None:
    main = project.bundle / "src" / "tiny" / "__main__.py"
    main.write_text("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on'); time.sleep(600)")
    outcome = bundle_process.run_bundle(order(project, timeout=1.0, grace=0.5), _never)
    assert outcome.exit_code == -9


def test_a_child_left_behind_is_ended_with_its_run(project: Project) -> None:
    (project.bundle / "src" / "tiny" / "__main__.py").write_text(
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'odd-left'],"
        "start_new_session=True)"
    )
    assert bundle_process.run_bundle(order(project, grace=1.0), _never).exit_code == 0
    assert not _odd("odd-left")


@pytest.fixture
def unkillable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The system lets this process signal none that has `odd-denied` in its command, as it does for another user's."""
    kill = os.kill

    def deny(pid: int, number: int) -> None:
        if number and "odd-denied" in psutil.Process(pid).cmdline():
            raise PermissionError(errno.EPERM, "Operation not permitted")
        kill(pid, number)

    monkeypatch.setattr(os, "kill", deny)
    monkeypatch.setattr(process_tree, "KILL_SECONDS", 0.5)
    yield
    for process in _odd("odd-denied"):
        kill(process.pid, signal.SIGKILL)


@pytest.mark.usefixtures("unkillable")
def test_a_process_that_may_not_be_killed_is_waited_for_a_while_and_named(project: Project) -> None:
    (project.bundle / "src" / "tiny" / "__main__.py").write_text(
        "import subprocess, sys, time\n"
        "nap = 'import time; time.sleep(600)'\n"
        "subprocess.Popen([sys.executable, '-c', nap, 'odd-denied'], start_new_session=True)\n"
        "time.sleep(600)"
    )
    started = time.monotonic()
    outcome = bundle_process.run_bundle(order(project, timeout=2.0, grace=0.2), _never)
    assert time.monotonic() - started < 15
    [left] = _odd("odd-denied")
    assert (outcome.left_running, outcome.exit_code) == ([left.pid], -15)
    assert outcome.reason == f"took longer than its timeout of 2 s; could not be ended: process {left.pid}"


@pytest.mark.usefixtures("unkillable")
def test_a_bundle_that_may_not_be_killed_is_recorded_and_not_tried_again_beside_itself(project: Project) -> None:
    (project.bundle / "src" / "tiny" / "__main__.py").write_text(
        "import os, sys, time; open('ran.txt', 'a').write('ran\\n')\n"
        "nap = 'import time; time.sleep(600)'\n"
        "os.execv(sys.executable, [sys.executable, '-c', nap, 'odd-denied'])"
    )
    options = ScheduleOptions(tries=Resources(retries=2, timeout_seconds=2.0))
    schedule = project.schedules.add(project.bundle, "@daily", options=options)
    run = project.schedules.run_now(schedule.id)
    [left] = _odd("odd-denied")
    assert (run.status.value, run.outcome["exit_code"], run.outcome["tries"]) == ("failed", None, 1)
    assert run.outcome["left_running"] == [left.pid]
    assert run.reason == f"took longer than its timeout of 2 s; could not be ended: process {left.pid}"
    assert project.ran() == ["ran"]


@pytest.mark.usefixtures("unkillable")
def test_what_is_left_of_a_lost_run_and_may_not_be_killed_holds_nothing_up(project: Project) -> None:
    schedule = project.schedules.add(project.bundle, "@daily")
    row = "INSERT INTO schedule_run (id, schedule, due, started, status) VALUES ('r2', ?, 1, 1, 'running')"
    project.workspace.ledger.execute(row, (schedule.id,))
    command = [sys.executable, "-c", "import time; time.sleep(600)", "odd-denied"]
    with subprocess.Popen(command, env={**os.environ, process_tree.MARK: "r2"}) as left:
        started = time.monotonic()
        assert project.schedules.recover() == ["r2"]
        assert time.monotonic() - started < 10
        assert project.schedules.history()[0].outcome["left_running"] == [left.pid]
        signal.pidfd_send_signal(os.pidfd_open(left.pid), signal.SIGKILL)


def test_being_stopped(project: Project) -> None:
    told = threading.Event()
    ran = project.bundle / "ran.txt"
    threading.Thread(target=lambda: (until(ran.exists), told.set())).start()
    outcome = bundle_process.run_bundle(order(project, nap="600"), told.is_set)
    assert outcome.reason == "stopped: the scheduler was told to end"
    assert outcome.exit_code == -15


def test_a_log_that_cannot_be_written_is_recorded(project: Project) -> None:
    schedule = project.missed()
    Path(project.root / ".mlops" / "schedule-logs").write_text("in the way")
    run = project.schedules.run_due(schedule.id)
    assert run.status.value == "failed"
    assert "FileExistsError" in run.reason
    assert run.log is None


def _odd(word: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if word in (p.info["cmdline"] or [])]
