"""One bundle run in a real process: how it ends, and that nothing of it is left."""

import json
import threading
import time
from pathlib import Path

import psutil
import pytest

from mlops_jupyter.services.schedule import bundle
from mlops_jupyter.services.schedule.runner import bundle_process

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
    ending = bundle_process.perform(order(project, **parameters), _never)
    assert (ending.exit_code, ending.reason) == (code, reason)


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
    ending = bundle_process.perform(order(project), _never)
    assert (ending.exit_code, ending.printed) == (0, found)
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
    ending = bundle_process.perform(order(project), _never)
    assert ending.reason == reason and ending.printed == report


def test_a_timeout_ends_the_whole_tree(project: Project) -> None:
    started = time.monotonic()
    ending = bundle_process.perform(order(project, timeout=1.0, nap="600", child="timeout"), _never)
    assert time.monotonic() - started < 10
    assert ending.reason == "took longer than its timeout of 1 s" and ending.exit_code != 0
    assert not _odd("odd-timeout")


def test_a_child_that_does_not_want_to_end_is_killed(project: Project) -> None:
    main = project.bundle / "src" / "tiny" / "__main__.py"
    main.write_text("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on'); time.sleep(600)")
    ending = bundle_process.perform(order(project, timeout=1.0, grace=0.5), _never)
    assert ending.exit_code == -9


def test_a_child_left_behind_is_ended_with_its_run(project: Project) -> None:
    (project.bundle / "src" / "tiny" / "__main__.py").write_text(
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'odd-left'],"
        "start_new_session=True)"
    )
    assert bundle_process.perform(order(project, grace=1.0), _never).exit_code == 0
    assert not _odd("odd-left")


def test_being_stopped(project: Project) -> None:
    told = threading.Event()
    ran = project.bundle / "ran.txt"
    threading.Thread(target=lambda: (until(ran.exists), told.set())).start()
    ending = bundle_process.perform(order(project, nap="600"), told.is_set)
    assert ending.reason == "stopped: the scheduler was told to end" and ending.exit_code == -15


def test_a_log_that_cannot_be_written_is_recorded(project: Project) -> None:
    schedule = project.missed()
    Path(project.root / ".mlops" / "schedule-logs").write_text("in the way")
    run = project.schedules.tick(schedule.id)
    assert run.status.value == "failed" and "FileExistsError" in run.reason
    assert run.log is None


def _odd(word: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if word in (p.info["cmdline"] or [])]
