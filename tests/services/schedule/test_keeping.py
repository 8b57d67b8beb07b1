"""How runs are kept: missed ticks, limits, retries, pauses, backfills, logs; with real processes, really killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Resources
from mlops_jupyter.services.schedule.models import Catchup, RunState
from mlops_jupyter.services.schedule.options import ScheduleOptions
from mlops_jupyter.services.schedule.runner import process_tree
from mlops_jupyter.services.schedule.service import Schedules
from mlops_jupyter.store.ledger import Ledger

from .conftest import ROOT, Project, until

NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
HOUR = 3600.0


def row(project: Project, schedule: str, due: float, started: float, ended: float | None, trigger: str, status: str):
    project.workspace.ledger.execute(
        "INSERT INTO schedule_run (id, schedule, due, started, ended, status, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (f"{due}{trigger}", schedule, due, started, ended, status, json.dumps({"trigger": trigger})),
    )


@pytest.mark.parametrize(
    "catchup, concurrency, runs, now, due",
    [
        ("all", 1, [], NOON + 3 * HOUR, NOON),
        ("all", 1, [(NOON, 5, "clock", "failed")], NOON + 3 * HOUR, NOON + HOUR),
        (
            "all",
            1,
            [(NOON, 5, "clock", "failed"), (NOON + HOUR, 5, "backfill", "failed")],
            NOON + 3 * HOUR,
            NOON + 2 * HOUR,
        ),
        ("all", 1, [(NOON, 3 * HOUR, "clock", "succeeded")], NOON + 3 * HOUR, NOON + HOUR),  # waits, is not skipped
        ("all", 1, [], NOON - 1, None),
        ("none", 1, [], NOON + 59, NOON),
        ("none", 1, [], NOON + 61, None),
        ("none", 1, [], NOON + HOUR + 1, NOON + HOUR),
        ("once", 1, [(NOON, None, "clock", "running")], NOON + HOUR, None),  # fell into a run that goes on
        ("once", 2, [(NOON, None, "clock", "running")], NOON + HOUR, NOON + HOUR),  # there is room beside it
        ("once", 2, [(NOON, None, "clock", "running"), (NOON + HOUR, None, "clock", "running")], NOON + 2 * HOUR, None),
        ("once", 1, [(NOON, 5, "backfill", "failed")], NOON + 60, None),  # a backfill ran it
        ("once", 1, [(NOON - 9 * HOUR, 5, "backfill", "failed")], NOON + 60, NOON),
        ("once", 1, [(NOON, None, "clock", "lost")], NOON + 90, NOON),  # once more
        ("all", 1, [(NOON, None, "clock", "lost")], NOON + HOUR, NOON),
        ("once", 1, [(NOON + 240 * HOUR, 5, "clock", "succeeded")], NOON + 60, NOON),  # the clock was ahead
        ("all", 1, [(NOON + HOUR, 5, "clock", "succeeded")], NOON + 60, NOON),
        ("all", 1, [(NOON, 5, "clock", "failed"), (NOON + HOUR, 5, "clock", "failed")], NOON + HOUR + 1, None),
    ],
)
def test_what_is_due(project: Project, catchup: str, concurrency: int, runs: list, now: float, due: float) -> None:
    wish = ScheduleOptions(cron="0 * * * *", catchup=Catchup(catchup), concurrency=concurrency)
    made = project.at(NOON - 60).add(project.bundle, options=wish)
    for tick, took, trigger, status in runs:
        row(project, made.id, tick, tick, None if took is None else tick + took, trigger, status)
    assert project.at(now).due_tick(made) == due


@pytest.mark.parametrize(
    "wish", [ScheduleOptions(cron="0 * * * *"), ScheduleOptions(every_seconds=3600)], ids=["cron", "every"]
)
def test_a_schedule_that_was_made_while_the_clock_was_ahead_goes_on(project: Project, wish: ScheduleOptions) -> None:
    made = project.at(NOON + 1000 * HOUR).add(project.bundle, options=wish)
    assert project.at(NOON - 30).due_tick(made) is None
    assert project.at(NOON + 5).due_tick(made) == NOON
    row(project, made.id, NOON, NOON, NOON + 1, "clock", "succeeded")
    assert project.at(NOON + 10).due_tick(made) is None
    assert project.at(NOON + HOUR + 5).due_tick(made) == NOON + HOUR


def test_a_lost_run_is_tried_once_more(project: Project) -> None:
    made = project.at(NOON - 60).add(project.bundle, "0 * * * *")
    row(project, made.id, NOON, NOON, None, "clock", "lost")
    again = project.at(NOON + 60).run_due(made.id)
    assert again is not None
    assert (again.due, again.status, again.outcome["trigger"]) == (NOON, RunState.SUCCEEDED, "clock")
    assert project.at(NOON + 120).run_due(made.id) is None


def test_one_that_is_lost_again_is_not(project: Project) -> None:
    made = project.at(NOON - 60).add(project.bundle, "0 * * * *")
    row(project, made.id, NOON, NOON, None, "clock", "lost")
    facts = json.dumps({"trigger": "clock", "again": True})
    project.workspace.ledger.execute("UPDATE schedule_run SET outcome = ?", (facts,))
    assert project.at(NOON + 60).run_due(made.id) is None


def test_catching_up_begins_on_the_day_that_the_plan_says(project: Project) -> None:
    own = "schedule: {cron: '0 6 * * *', timezone: Asia/Tokyo, catchup: true, start: '2027-01-01'}"
    made = project.at(NOON).add(project.make("own", own))
    assert project.at(NOON).due_tick(made) == datetime(2026, 12, 31, 21, tzinfo=UTC).timestamp()


def test_a_pause(project: Project) -> None:
    made = project.at(NOON - 60).add(project.bundle, "0 * * * *")
    [paused] = project.at(NOON - 30).pause(project.bundle)
    assert (paused.paused, project.at(NOON + 60).due_tick(paused)) == (NOON - 30, None)
    assert project.at(NOON + 60).run_due(made.id) is None
    assert project.at(NOON + 60).add(project.bundle, "0 * * * *").id == made.id  # the same one, still paused
    assert project.at(NOON + 60).pause(made.id) == [paused]
    [resumed] = project.at(NOON + 90).resume(made.id)
    assert project.at(NOON + 90).due_tick(resumed) is None  # what fell into the pause does not run
    assert project.at(NOON + HOUR).due_tick(resumed) == NOON + HOUR
    assert project.at(NOON + 99).resume(made.id) == [resumed]
    verbs = [r["verb"] for r in project.workspace.ledger.query("SELECT verb FROM audit ORDER BY id")]
    assert verbs == ["schedule add", "schedule pause", "schedule pause", "schedule resume"]


def test_data_that_comes_in_a_pause_starts_nothing(project: Project) -> None:
    (project.root / "in").mkdir()
    made = project.schedules.add(project.bundle, options=ScheduleOptions(data="in"))
    project.schedules.pause(made.id)
    (project.root / "in" / "a").write_text("1")
    assert project.schedules.run_due(made.id) is None
    project.schedules.resume(made.id)
    assert project.schedules.run_due(made.id) is None


def test_a_scheduler_heeds_a_pause(project: Project) -> None:
    made = project.schedules.add(project.bundle, options=ScheduleOptions(every_seconds=1))
    process = project.start()
    until(lambda: len(project.ran()) >= 2)
    project.schedules.pause(made.id)
    until(lambda: "running" not in project.statuses())
    time.sleep(0.5)  # one that was being claimed
    until(lambda: "running" not in project.statuses())
    count = len(project.ran())
    time.sleep(2.5)
    assert len(project.ran()) == count
    project.schedules.resume(made.id)
    until(lambda: len(project.ran()) > count)
    process.kill()


def test_a_failed_run_is_tried_again_after_longer_and_longer_pauses(project: Project) -> None:
    tries = Resources(retries=3, backoff_seconds=0.4)
    made = project.schedules.add(
        project.bundle, "@daily", parameters={"until": "3"}, options=ScheduleOptions(tries=tries)
    )
    begun = time.monotonic()
    run = project.schedules.run_now(made.id)
    assert (run.status, run.outcome["tries"]) == (RunState.SUCCEEDED, 3)
    assert time.monotonic() - begun >= 0.4 + 0.8  # no less than the two pauses
    assert project.ran() == [run.id] * 3
    log = run.log.read_text()
    assert log.count("$ ") == 3
    assert log.count("ValueError: not yet") == 2


def test_tries_come_to_an_end(project: Project) -> None:
    made = project.schedules.add(
        project.bundle, "@daily", parameters={"until": "9"}, options=ScheduleOptions(tries=Resources(retries=1))
    )
    run = project.schedules.run_now(made.id)
    assert (run.status, run.outcome["tries"], len(project.ran())) == (RunState.FAILED, 2, 2)
    assert run.reason == "exit code 1: ValueError: not yet"


def test_a_schedules_own_timeout_ends_the_tree_of_each_try(project: Project) -> None:
    tries = Resources(retries=1, timeout_seconds=1.0)
    given = {"nap": "600", "child": "tried"}
    made = project.schedules.add(project.bundle, "@daily", parameters=given, options=ScheduleOptions(tries=tries))
    run = project.schedules.run_now(made.id)
    assert (run.reason, run.outcome["tries"]) == ("took longer than its timeout of 1 s", 2)
    assert not [p for p in psutil.process_iter(["cmdline"]) if "odd-tried" in (p.info["cmdline"] or [])]


def test_a_signal_ends_the_waiting_for_the_next_try(project: Project) -> None:
    tries = Resources(retries=5, backoff_seconds=600)
    made = project.at(time.time() - 5).add(
        project.bundle, parameters={"fault": "x"}, options=ScheduleOptions(every_seconds=4, tries=tries)
    )
    process = project.start()
    until(lambda: project.ran())
    time.sleep(1)
    process.terminate()
    assert process.wait(15) == 0
    [run] = project.schedules.history(made.id)
    assert (run.status, run.outcome["tries"]) == (RunState.FAILED, 1)


def test_as_many_at_once_as_may_be(project: Project) -> None:
    """Two schedulers; four ticks were missed and all are caught up, two at a time."""
    now = time.time()
    wish = ScheduleOptions(every_seconds=3600, catchup=Catchup.ALL, concurrency=2)
    made = project.at(now - 4 * HOUR - 60).add(project.bundle, parameters={"nap": "1"}, options=wish)
    for _ in range(2):
        project.start()
    until(lambda: project.statuses() == ["succeeded"] * 4, 40)
    runs = sorted(project.schedules.history(made.id), key=lambda run: run.due)
    assert [run.due for run in runs] == [int(made.created) + n * HOUR for n in (1, 2, 3, 4)]
    marks = sorted([(run.started, 1) for run in runs] + [(run.ended, -1) for run in runs])
    depth = [sum(step for _, step in marks[: n + 1]) for n in range(len(marks))]
    assert max(depth) == 2
    assert sorted(run.started for run in runs) == [run.started for run in runs]  # the oldest first
    assert len(project.ran()) == 4


def test_a_run_by_hand_keeps_to_the_limit(project: Project) -> None:
    made = project.schedules.add(project.bundle, "@yearly")
    row(project, made.id, 1.0, 1.0, None, "clock", "running")
    mine = psutil.Process()
    owner = {"trigger": "clock", "owner": {"pid": mine.pid, "started": mine.create_time()}}
    project.workspace.ledger.execute("UPDATE schedule_run SET outcome = ?", (json.dumps(owner),))
    with pytest.raises(UserError, match=r"1 run\(s\) of 'tiny' are under way"):
        project.schedules.run_now(made.id)


def test_killed_schedulers_lose_no_tick_and_run_none_twice(project: Project) -> None:
    """A scheduler is killed again and again, another takes over: with catch-up each tick has exactly one run.

    A run that was lost with its scheduler is begun once more; no other is.
    """
    made = project.schedules.add(project.bundle, options=ScheduleOptions(every_seconds=1, catchup=Catchup.ALL))
    for _ in range(4):
        process = project.start()
        count = len(project.ran())
        until(lambda count=count: len(project.ran()) >= count + 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = project.start()
    until(lambda: "scheduler started" in project.said(last))
    until(lambda: time.time() - max(run.due for run in project.schedules.history()) < 3)
    last.terminate()
    assert last.wait(15) == 0
    dues = sorted(run.due for run in project.schedules.history(made.id))
    assert dues == [int(made.created) + n for n in range(1, len(dues) + 1)]
    twice = {run for run, times in Counter(project.ran()).items() if times > 1}
    assert max(Counter(project.ran()).values()) <= 2
    assert twice <= {run.id for run in project.schedules.history(made.id) if run.outcome.get("again")}


def test_a_run_whose_process_died_makes_room_while_the_scheduler_lives(project: Project) -> None:
    made = project.schedules.add(project.bundle, options=ScheduleOptions(every_seconds=1))
    row(project, made.id, 5.0, time.time() + 60, None, "hand", "running")
    process = project.start()
    until(lambda: len(project.ran()) >= 1)
    assert "was lost" in project.said(process)


def test_what_is_left_of_a_lost_run_is_ended_by_one_process_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one would end the run that a backfill has begun again meanwhile, under the same id."""
    made = project.schedules.add(project.bundle, "@daily")
    for due in (5.0, 6.0):
        row(project, made.id, due, 5.0, None, "backfill", "running")
    folder, ended = project.workspace.folder, list[str]()

    def terminate(run: str, grace: float) -> list[int]:
        ended.append(run)
        time.sleep(0.3)
        return []

    def recover(_: int) -> list[str]:
        with closing(Ledger(folder / "ledger.db")) as ledger:
            return list(Schedules(ledger, folder, "sqlite://").recover())

    monkeypatch.setattr(process_tree, "terminate", terminate)
    with ThreadPoolExecutor(3) as threads:
        lost = [run for runs in threads.map(recover, range(3)) for run in runs]
    assert sorted(ended) == sorted(lost) == ["5.0backfill", "6.0backfill"]


def test_only_the_last_logs_are_kept(project: Project) -> None:
    made = project.schedules.add(project.bundle, "@daily", options=ScheduleOptions(logs=2))
    other = project.schedules.add(project.bundle, "@weekly")
    kept = project.schedules.run_now(other.id)
    runs = [project.schedules.run_now(made.id) for _ in range(4)]
    logs = project.root / ".mlops" / "schedule-logs"
    assert sorted(f.stem for f in logs.iterdir()) == sorted([kept.id, runs[2].id, runs[3].id])
    assert [run.log is None for run in project.schedules.history(made.id)] == [False, False, True, True]


def test_a_backfill_runs_each_tick_once_the_oldest_first(project: Project) -> None:
    made = project.schedules.add(
        project.bundle, options=ScheduleOptions(cron="0 6,18 * * *", timezone="Europe/Berlin", tick="n")
    )
    runs = project.scheduler.backfill(made.id, date(2026, 3, 28), date(2026, 3, 29))  # the clocks change on the 29th
    assert [run.outcome["given"]["n"] for run in runs] == [
        "2026-03-28T06:00:00+01:00",
        "2026-03-28T18:00:00+01:00",
        "2026-03-29T06:00:00+02:00",
        "2026-03-29T18:00:00+02:00",
    ]
    assert {run.outcome["trigger"] for run in runs} == {"backfill"}
    assert len(project.ran()) == 4
    assert project.scheduler.backfill(made.id, date(2026, 3, 28), date(2026, 3, 29)) == []
    assert len(project.scheduler.backfill(made.id, date(2026, 3, 27), date(2026, 3, 28))) == 2
    assert project.schedules.due_tick(made) is None  # it does not stand for what the clock will bring


@pytest.mark.parametrize(
    "wish, first, last, told",
    [
        (
            ScheduleOptions(cron="@daily"),
            date(2026, 2, 2),
            date(2026, 2, 1),
            "--from 2026-02-02 is after --to 2026-02-01",
        ),
        (ScheduleOptions(cron="@daily"), date(2999, 1, 1), date(2999, 1, 2), "--from 2999-01-01 is in the future"),
        (ScheduleOptions(drift="x"), date(2026, 1, 1), date(2026, 1, 2), "has no times of the past"),
    ],
)
def test_a_backfill_that_cannot_be(project: Project, wish: ScheduleOptions, first: date, last: date, told: str) -> None:
    made = project.schedules.add(project.bundle, options=wish)
    with pytest.raises(UserError, match=told):
        project.scheduler.backfill(made.id, first, last)


BACKFILL = """
import sys
from datetime import date
from pathlib import Path
from mlops_jupyter.workspace import Workspace
first, last = map(date.fromisoformat, sys.argv[3:])
Workspace.open(Path(sys.argv[1])).scheduler.backfill(sys.argv[2], first, last)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_backfill_that_was_ended_goes_on(project: Project, number: signal.Signals) -> None:
    made = project.schedules.add(
        project.bundle, parameters={"nap": "0.3"}, options=ScheduleOptions(cron="@daily", concurrency=2)
    )
    days = [str(date(2026, 1, 1)), str(date(2026, 1, 6))]
    command = [sys.executable, "-c", BACKFILL, str(project.root), made.id, *days]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    until(lambda: len(project.ran()) >= 3)
    first.send_signal(number)
    assert first.wait(20) != 0
    done = {run.due for run in project.schedules.history() if run.status is RunState.SUCCEEDED}
    assert len(done) < 6
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]  # two of them share the rest
    assert [one.wait(60) for one in both] == [0, 0]
    runs = project.schedules.history(made.id)
    assert [run.status for run in runs] == [RunState.SUCCEEDED] * 6
    assert len({run.due for run in runs}) == 6
    begun = project.ran()
    redone = {run for run in begun if begun.count(run) > 1}
    assert not redone & {run.id for run in runs if run.due in done}  # what had succeeded was not run again
    assert len(begun) <= 6 + 2


def test_interval_backfills(project: Project) -> None:
    made = project.schedules.add(project.bundle, options=ScheduleOptions(every_seconds=6 * 3600))
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert len(project.scheduler.backfill(made.id, yesterday, yesterday)) == 4
