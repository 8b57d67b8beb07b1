"""Real scheduler processes, really killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import psutil
import pytest

from mlops_jupyter.services.schedule.options import ScheduleOptions
from mlops_jupyter.store.process_identity import identity

from .conftest import ROOT, Project, until


def test_a_missed_tick_runs_once_also_after_a_restart(project: Project) -> None:
    """The run goes on when the first scheduler's time is up: it is finished."""
    schedule = project.missed(minutes_ago=10, nap="1.5")
    for _ in range(2):
        assert project.start(seconds=1).wait(30) == 0
    [run] = project.schedules.history()
    assert (run.status.value, run.schedule, run.outcome["trigger"]) == ("succeeded", schedule.id, "clock")
    assert run.due % 60 == 0
    assert 600 <= run.started - run.due < 720
    assert project.ran() == [run.id]
    assert not (project.root / ".mlops" / "scheduler.db").exists()  # the ledger is the only database


def test_once_runs_what_is_due_and_says_if_it_failed(project: Project) -> None:
    project.missed(minutes_ago=10)
    project.missed(minutes_ago=12, fault="no rows")
    first = project.start(once=True)
    assert first.wait(30) == 1
    assert "tiny failed" in project.said(first)
    assert "ValueError: no rows" in project.said(first)
    assert sorted(project.statuses()) == ["failed", "succeeded"]
    assert project.start(once=True).wait(30) == 0
    assert len(project.ran()) == 2


def test_a_tick_comes_while_it_runs(project: Project) -> None:
    """The process's clock is set so that the next minute begins 3 seconds after its start."""
    kept = project.schedules.add(project.bundle, "* * * * *", timezone="Asia/Kolkata")
    ahead = max(0.0, 57.0 - time.time() % 60)  # never back: the schedule was made at the machine's time
    process = project.start(ahead=ahead)
    until(lambda: project.statuses() == ["succeeded"])
    [run] = project.schedules.history()
    assert run.schedule == kept.id
    assert run.due % 60 == 0
    assert 0 <= run.started - run.due < 30
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0


def test_schedules_added_and_removed_meanwhile_are_picked_up(project: Project) -> None:
    process = project.start()
    until(lambda: "scheduler started" in project.said(process))
    often = project.schedules.add(project.make("often"), options=ScheduleOptions(every_seconds=1))
    until(lambda: len(project.ran("often")) >= 2)
    project.schedules.remove(often.id)
    until(lambda: "running" not in project.statuses())
    time.sleep(0.5)  # one that was being claimed
    until(lambda: "running" not in project.statuses())
    count = len(project.ran("often"))
    time.sleep(2.5)
    assert len(project.ran("often")) == count
    project.missed(minutes_ago=10)  # as if the machine had slept
    until(lambda: len(project.ran()) == 1)


def test_two_schedulers_run_a_tick_once_and_the_second_takes_over(project: Project) -> None:
    project.missed(minutes_ago=10, nap="1")
    both = [project.start(), project.start()]
    until(lambda: project.statuses() == ["succeeded"])
    until(lambda: any("standing by" in project.said(p) for p in both))
    first, second = sorted(both, key=lambda p: "standing by" in project.said(p))
    assert f"(pid {first.pid})" in project.said(second)
    first.kill()
    until(lambda: "took over" in project.said(second))
    project.missed(minutes_ago=12)
    until(lambda: project.statuses() == ["succeeded", "succeeded"])
    assert len(project.ran()) == 2


def test_what_a_killed_scheduler_left_running_is_ended_and_lost(project: Project) -> None:
    project.missed(minutes_ago=10, nap="600", child="orphan")
    first = project.start()
    until(lambda: project.ran() and _odd("odd-orphan"))
    left = _odd("odd-orphan")
    first.kill()
    first.wait()
    assert project.statuses() == ["running"]
    project.missed(minutes_ago=5)  # falls due while nobody is there
    second = project.start()
    until(lambda: "was lost: the process that ran it died" in project.said(second))
    until(lambda: not any(process.is_running() for process in left))
    until(lambda: len(project.ran()) == 3)  # what was lost is run once more
    second.kill()
    second.wait()
    third = project.start()
    until(lambda: project.statuses().count("lost") == 1)
    [lost] = [run for run in project.schedules.history() if run.status.value == "lost"]
    assert lost.reason == "lost: the process that ran it died"
    assert lost.ended is None
    third.terminate()
    assert third.wait(10) == 0
    assert project.start(once=True).wait(30) == 0  # and not a third time
    assert len(project.ran()) == 3


def test_a_living_run_by_hand_is_not_taken_for_lost(project: Project) -> None:
    workspace = project.workspace
    schedule = workspace.schedules.add(project.bundle, "@yearly")
    row = "INSERT INTO schedule_run (id, schedule, due, started, status, outcome) VALUES (?, ?, ?, 1, 'running', ?)"
    mine = identity()
    owners = {
        "alive": mine,
        "other": {**mine, "started": mine["started"] - 60},
        "dead": {"pid": 2**22 + 1, "started": 1},
    }
    for due, (name, owner) in enumerate(owners.items()):
        workspace.ledger.execute(row, (name, schedule.id, due, f'{{"owner": {owner!r}}}'.replace("'", '"')))
    assert sorted(project.schedules.recover()) == ["dead", "other"]
    assert project.schedules.recover() == []


def test_a_schedule_removed_while_nobody_served_does_not_run(project: Project) -> None:
    schedule = project.missed(minutes_ago=10)
    assert project.start(once=True).wait(30) == 0
    assert project.start(seconds=0.6).wait(30) == 0
    project.schedules.remove(schedule.id)
    project.workspace.ledger.execute("DELETE FROM schedule_run")  # so that a tick would be due
    assert project.start(seconds=0.6).wait(30) == 0
    assert project.statuses() == []
    assert len(project.ran()) == 1


RUN = """
import sys
from pathlib import Path
from mlops_jupyter.workspace import Workspace
Workspace.open(Path(sys.argv[1])).schedules.run_now(sys.argv[2])
"""


def test_ctrl_c_ends_a_run_by_hand(project: Project) -> None:
    schedule = project.schedules.add(project.bundle, "@daily", parameters={"nap": "600", "child": "hand"})
    command = [sys.executable, "-c", RUN, str(project.root), schedule.id]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    until(lambda: project.ran() and _odd("odd-hand"))
    process.send_signal(signal.SIGINT)
    assert process.wait(15) != 0
    [run] = project.schedules.history()
    assert (run.status.value, run.reason) == ("failed", "interrupted")
    assert not _odd("odd-hand")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_and_the_scheduler(project: Project, number: signal.Signals) -> None:
    project.missed(minutes_ago=10, nap="600")
    process = project.start()
    until(project.ran)
    process.send_signal(number)
    assert process.wait(15) == 0
    [run] = project.schedules.history()
    assert (run.status.value, run.reason) == ("failed", "stopped: the scheduler was told to end")
    assert "scheduler ended" in project.said(process)


@pytest.mark.parametrize("damaged", [False, True])
def test_the_job_store_of_older_versions_does_no_harm(project: Project, damaged: bool) -> None:
    """It held pickles of classes that are no more."""
    store = project.root / ".mlops" / "scheduler.db"
    if damaged:
        store.write_bytes(b"not a database, though long enough to be looked at" * 100)
    else:
        with closing(sqlite3.connect(store)) as db, db:
            db.execute("CREATE TABLE apscheduler_jobs (id TEXT PRIMARY KEY, next_run_time FLOAT, job_state BLOB)")
            db.execute(
                "INSERT INTO apscheduler_jobs VALUES ('gone', 1.0, ?)", (b"cmlops_jupyter.gone\nTickTrigger\n.",)
            )
    before = store.read_bytes()
    project.missed(minutes_ago=10)
    process = project.start(seconds=1)
    assert process.wait(30) == 0
    assert project.statuses() == ["succeeded"]
    assert store.read_bytes() == before
    assert "scheduler.db" not in project.said(process)


def test_history_is_in_utc_seconds(project: Project) -> None:
    before = datetime.now(UTC).timestamp()
    schedule = project.schedules.add(project.bundle, "@daily")
    run = project.schedules.run_now(schedule.id)
    assert before <= run.due <= run.started <= run.ended <= datetime.now(UTC).timestamp()


def _odd(word: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if word in (p.info["cmdline"] or [])]
