"""The five kinds of schedules: what is taken, what is refused, and what starts a run."""

import json
import time
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Resources
from mlops_jupyter.core.plan import ScheduleSpec as Wanted
from mlops_jupyter.services.schedule import ticks
from mlops_jupyter.services.schedule.models import Catchup
from mlops_jupyter.services.schedule.options import ScheduleOptions

from .conftest import Project, until

EVERY = ScheduleOptions(every_seconds=3600)


@pytest.mark.parametrize(
    "wish, wanted",
    [
        (ScheduleOptions(cron="0 6 * * 1", timezone="Asia/Tokyo"), Wanted(cron="0 6 * * 1", timezone="Asia/Tokyo")),
        (ScheduleOptions(every_seconds=90), Wanted(every_seconds=90)),
        (ScheduleOptions(data="in/*.csv", concurrency=2), Wanted(data="in/*.csv", concurrency=2)),
        (ScheduleOptions(after="first"), Wanted(after="first")),
        (ScheduleOptions(drift="prices"), Wanted(drift="prices")),
        (ScheduleOptions(cron="@daily", catchup=Catchup.ALL), Wanted(cron="@daily", catchup=True)),
    ],
)
def test_a_kind_is_kept_in_the_words_of_a_plan(project: Project, wish: ScheduleOptions, wanted: Wanted) -> None:
    project.schedules.add(project.make("first"), "@daily")
    made = project.schedules.add(project.bundle, options=wish)
    assert made.spec == wanted
    assert project.schedules.find(made.id) == [made]
    assert project.schedules.add(project.bundle, options=wish) == made


def test_how_runs_are_kept_is_kept(project: Project) -> None:
    wish = ScheduleOptions(
        cron="@daily",
        catchup=Catchup.NONE,
        tries=Resources(retries=2, backoff_seconds=5.0, timeout_seconds=60.0),
        grace=30.0,
        logs=3,
        alerts=("OPS",),
        tick="n",
    )
    made = project.schedules.add(project.bundle, options=wish)
    policy = made.policy
    assert (policy.catchup, policy.tries, policy.grace, policy.logs) == (Catchup.NONE, wish.tries, 30.0, 3)
    assert (policy.alerts, policy.tick) == (("OPS",), "n")
    assert project.schedules.list() == [made]


@pytest.mark.parametrize(
    "own, shown, catchup",
    [
        ("schedule: {every_seconds: 900, concurrency: 3}", "every 900 s", Catchup.ONCE),
        ("schedule: {data: 's3://b/*.csv'}", "new data at s3://b/*.csv", Catchup.ONCE),
        ("schedule: {drift: prices}", "on drift of prices", Catchup.ONCE),
        ("schedule: {cron: '@daily', catchup: true, start: '2026-01-01'}", "@daily (UTC)", Catchup.ALL),
    ],
)
def test_the_bundles_own_schedule_of_any_kind(
    project: Project, monkeypatch: pytest.MonkeyPatch, own: str, shown: str, catchup: Catchup
) -> None:
    monkeypatch.setattr("mlops_jupyter.services.schedule.data_sensor.list_files", lambda pattern, root: {})
    made = project.schedules.add(project.make("own", own))
    assert (made.spec.shown, made.policy.catchup) == (shown, catchup)
    assert made.spec.concurrency == (3 if "900" in own else 1)


@pytest.mark.parametrize(
    "own, told",
    [
        ("schedule: daily", "is no mapping"),
        ("schedule: {cron: '@daily', when: now}", "unknown part 'when'"),
        ("schedule: {every_seconds: '90'}", "every_seconds '90', which is no int"),
        ("schedule: {cron: '@daily', every_seconds: 90}", "has cron and every_seconds: give one"),
        ("schedule: {timezone: UTC}", "has no kind"),
        ("schedule: {every_seconds: -5}", "goes backwards"),
        ("schedule: {every_seconds: 5, concurrency: 0}", "concurrency 0 lets no run start"),
        ("schedule: {every_seconds: 5, catchup: true, start: yesterday}", "start 'yesterday' is no day"),
        ("schedule: {every_seconds: 5, timezone: Asia/Tokyo}", "belongs to a cron expression"),
        ("schedule: {cron: '@daily', timezone: Mars/Crater}", "time zone 'Mars/Crater' is not known"),
    ],
)
def test_a_bundles_schedule_that_cannot_be_is_one_line(project: Project, own: str, told: str) -> None:
    with pytest.raises(UserError) as fault:
        project.schedules.add(project.make("own", own))
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)
    assert project.schedules.list() == []


@pytest.mark.parametrize(
    "wish, told",
    [
        (ScheduleOptions(cron="@daily", every_seconds=5), "--cron and --every are two schedules"),
        (ScheduleOptions(every_seconds=0.5), "not whole seconds"),
        (ScheduleOptions(every_seconds=5, timezone="Asia/Tokyo"), "belongs to a cron expression"),
        (ScheduleOptions(every_seconds=5, concurrency=0), "concurrency 0"),
        (ScheduleOptions(drift="a", catchup=Catchup.ALL), "--catchup is for times that can be missed"),
        (
            ScheduleOptions(after="nobody"),
            "no schedule here runs the pipeline 'nobody': add its bundle first; there are first",
        ),
        (ScheduleOptions(after="tiny"), "would start itself again and again"),
        (ScheduleOptions(after="second"), "would start itself again and again"),
        (ScheduleOptions(every_seconds=5, logs=0), "--logs 0 keeps no log"),
        (ScheduleOptions(every_seconds=5, tries=Resources(retries=-1)), "--retries -1"),
        (ScheduleOptions(every_seconds=5, tries=Resources(backoff_seconds=1.0)), "give --retries"),
        (ScheduleOptions(every_seconds=5, tick="day"), "takes no such parameter"),
        (ScheduleOptions(every_seconds=5, alerts=("mailto://me:pass@host",)), "put it into an environment variable"),
        (
            ScheduleOptions(every_seconds=5, alerts=("no-such-file",)),
            "neither the name of an environment variable nor a file",
        ),
        (ScheduleOptions(data="nowhere://x/*.csv"), "cannot look for data at 'nowhere://x/*.csv'"),
    ],
)
def test_a_wish_that_cannot_be_is_one_line(project: Project, wish: ScheduleOptions, told: str) -> None:
    project.schedules.add(project.make("first"), "@daily")
    if wish.after == "second":  # tiny -> first2 -> second
        project.schedules.add(project.bundle, "@daily")
        project.schedules.add(project.make("middle"), options=ScheduleOptions(after="tiny"))
        project.schedules.add(project.make("second"), options=ScheduleOptions(after="middle"))
    before = project.schedules.list()
    with pytest.raises(UserError) as fault:
        project.schedules.add(project.bundle, options=wish)
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)
    assert project.schedules.list() == before


def test_a_secret_is_no_parameter(project: Project) -> None:
    with pytest.raises(UserError, match="parameter 'n' looks like a secret"):
        project.schedules.add(project.bundle, "@daily", parameters={"n": "ghp_" + "a" * 36})


def test_an_interval_counts_from_when_it_was_added(project: Project) -> None:
    made = project.at(1_000_000.7).add(project.bundle, options=ScheduleOptions(every_seconds=60))
    assert ticks.after(made, 1_000_000.7) == 1_000_060
    assert [ticks.after(made, at) for at in (1_000_060, 1_000_060.5, 1_000_119)] == [1_000_120] * 3
    assert [ticks.last(made, at) for at in (1_000_060, 1_000_119.9, 1_000_120)] == [1_000_060, 1_000_060, 1_000_120]
    assert list(ticks.between(made, 1_000_060, 1_000_180)) == [1_000_060, 1_000_120]


def test_new_data_starts_a_run_once(project: Project) -> None:
    inbox = project.root / "in"
    inbox.mkdir()
    (inbox / "old.csv").write_text("a")
    made = project.schedules.add(project.bundle, options=ScheduleOptions(data="in/*.csv"))
    assert project.schedules.run_due(made.id) is None  # what was there before is not new
    (inbox / "other.txt").write_text("a")
    assert project.schedules.run_due(made.id) is None
    (inbox / "new.csv").write_text("a")
    assert project.schedules.run_due(made.id) is not None
    assert project.schedules.run_due(made.id) is None
    (inbox / "old.csv").write_text("changed")
    assert project.schedules.run_due(made.id) is not None
    (inbox / "old.csv").unlink()
    assert project.schedules.run_due(made.id) is None
    rows = project.workspace.ledger.query("SELECT files FROM schedule_arrival ORDER BY id")
    assert [json.loads(row["files"]) for row in rows] == [[str(inbox / "new.csv")], [str(inbox / "old.csv")]]


def test_data_at_an_address(project: Project) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/sched/a.parquet", b"1")
    made = project.schedules.add(project.bundle, options=ScheduleOptions(data="memory://sched/*.parquet"))
    assert project.schedules.run_due(made.id) is None
    memory.pipe_file("/sched/b.parquet", b"2")
    assert project.schedules.run_due(made.id) is not None
    assert project.schedules.run_due(made.id) is None
    memory.rm("/sched", recursive=True)


def test_data_that_is_still_being_written_waits(project: Project) -> None:
    """It grows while it is looked at."""
    import threading

    inbox = project.root / "in"
    inbox.mkdir()
    made = project.schedules.add(project.bundle, options=ScheduleOptions(data="in"))
    ended = threading.Event()

    def write() -> None:
        with (inbox / "a.csv").open("w") as file:
            while not ended.wait(0.05):
                file.write("row\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: (inbox / "a.csv").exists() and (inbox / "a.csv").stat().st_size)
    assert project.schedules.run_due(made.id) is None
    ended.set()
    writer.join()
    assert project.schedules.run_due(made.id) is not None


def test_a_run_after_another_pipelines_success(project: Project) -> None:
    first = project.schedules.add(project.make("first"), "@yearly")
    second = project.schedules.add(project.bundle, options=ScheduleOptions(after="first"))
    assert project.schedules.due_tick(second) is None
    project.schedules.run_now(first.id)
    assert project.schedules.due_tick(second) == project.schedules.history()[0].ended
    assert project.schedules.run_due(second.id) is not None
    assert project.schedules.run_due(second.id) is None
    failing = project.schedules.add(project.root / "first", "@yearly", parameters={"fault": "x"})
    project.schedules.run_now(failing.id)
    assert project.schedules.due_tick(second) is None


def test_a_run_on_drift(project: Project) -> None:
    import pandas as pd

    made = project.schedules.add(project.bundle, options=ScheduleOptions(drift="prices"))
    before = pd.DataFrame({"x": range(500)})
    for current, subject in ((before.copy(), "prices"), (before + 400, "other")):
        project.workspace.drift.check(before, current, subject=subject)
        assert project.schedules.due_tick(made) is None
    project.workspace.drift.check(before, before + 400, subject="prices")
    assert project.schedules.run_due(made.id) is not None
    assert project.schedules.run_due(made.id) is None


def test_a_scheduled_check_that_finds_drift_starts_what_waits_for_it(project: Project) -> None:
    """A bundle's own `%drift` stops its run with DriftFound: the other is the one that retrains."""
    monitor = project.make("monitor")
    report = {"status": "failed", "steps": [{"step": "check", "error": {"type": "DriftFound", "message": "x moved"}}]}
    (monitor / "src" / "monitor" / "__main__.py").write_text(f"print({json.dumps(report)!r}); raise SystemExit(1)")
    watch = project.schedules.add(monitor, "@yearly")
    retrain = project.schedules.add(project.bundle, options=ScheduleOptions(drift="monitor"))
    assert project.schedules.run_now(watch.id).reason == "step 'check': DriftFound: x moved"
    assert project.schedules.run_due(retrain.id) is not None
    assert project.schedules.run_due(retrain.id) is None


def test_a_scheduler_serves_all_kinds(project: Project) -> None:
    """Interval -> after -> ; data in another; a real process, looking by itself."""
    (project.root / "in").mkdir()
    every = project.schedules.add(project.make("first"), options=ScheduleOptions(every_seconds=2))
    chained = project.schedules.add(project.bundle, options=ScheduleOptions(after="first"))
    arrived = project.schedules.add(project.make("loader"), options=ScheduleOptions(data="in/*.csv"))
    process = project.start()
    until(lambda: len(project.ran("first")) >= 2 and len(project.ran()) >= 2)
    assert project.ran("loader") == []
    (project.root / "in" / "a.csv").write_text("1")
    until(lambda: len(project.ran("loader")) == 1)
    process.terminate()
    assert process.wait(15) == 0
    runs = project.schedules.history()
    first = [run for run in runs if run.schedule == every.id]
    assert all((run.due - int(every.created)) % 2 == 0 for run in first)
    assert len({run.due for run in first}) == len(first)
    assert {run.due for run in runs if run.schedule == chained.id} <= {run.ended for run in first}
    assert len(project.schedules.history(arrived.id)) == 1


def test_a_folder_that_cannot_be_written(project: Project) -> None:
    """The store is in the way of a file: the run fails with the reason, and the next one tries again."""
    made = project.schedules.add(project.bundle, "@daily")
    (project.root / ".mlops" / "store").write_text("in the way")
    run = project.schedules.run_now(made.id)
    assert run.status.value == "failed"
    assert "Error: [Errno" in run.reason
    (project.root / ".mlops" / "store").unlink()
    assert project.schedules.run_now(made.id).status.value == "succeeded"


def test_the_tick_is_told_to_the_run(project: Project) -> None:
    made = project.at(time.time() - 90).add(
        project.bundle, options=ScheduleOptions(cron="* * * * *", timezone="Asia/Kolkata", tick="n")
    )
    run = project.schedules.run_due(made.id)
    told = run.outcome["given"]["n"]
    assert told.endswith("+05:30")
    assert Path(run.log).is_file()
    from datetime import datetime

    assert datetime.fromisoformat(told).timestamp() == run.due
