"""The verbs, over a real ledger and a real bundle run."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.services.schedule.models import RunState
from mlops_jupyter.services.schedule.service import Schedules
from mlops_jupyter.workspace import Workspace

from .conftest import ROOT, Project


def test_a_schedule_is_kept_listed_and_removed(project: Project) -> None:
    made = project.schedules.add(project.bundle, "0 6 * * 1", "Europe/Berlin", {"n": 300, "fault": ""})
    assert project.schedules.list() == [made]
    assert (made.bundle, made.cron, made.timezone, made.data) == (project.bundle, "0 6 * * 1", "Europe/Berlin", None)
    assert made.parameters == {"n": "300", "fault": ""}
    assert project.schedules.remove(project.bundle) == [made]
    assert project.schedules.list() == []
    verbs = [row["verb"] for row in Workspace.open(project.root).ledger.query("SELECT verb FROM audit ORDER BY id")]
    assert verbs == ["schedule add", "schedule remove"]


def test_the_same_schedule_twice_is_one(project: Project) -> None:
    first = project.schedules.add(project.bundle, "@daily")
    assert project.schedules.add(project.bundle, "@daily") == first
    assert project.schedules.add(project.bundle, "@daily", parameters={"n": 1}) != first
    project.schedules.remove(first.id)
    assert project.schedules.add(project.bundle, "@daily").id != first.id


def test_a_project_may_move(project: Project) -> None:
    project.schedules.add(project.bundle, "@daily")
    moved = project.root.with_name("elsewhere")
    shutil.move(project.root, moved)
    schedules = Workspace.open(moved).schedules
    assert schedules.run_now(moved / "tiny").status is RunState.SUCCEEDED
    assert [run.bundle for run in schedules.history()] == [moved / "tiny"]


@pytest.mark.parametrize(
    "change, cron, zone, parameters, told",
    [
        ("", "0 25 * * *", "UTC", {}, "hour '25' is out of range"),
        ("", "@daily", "Berlin", {}, "perhaps 'Europe/Berlin'"),
        ("", "@daily", "UTC", {"m": 1}, "takes no parameter 'm': it takes child, exit, fault, n, nap, until"),
        ("rm pipeline.yaml", "@daily", "UTC", {}, "there is no pipeline.yaml; make one with `mlops-jupyter export`"),
        ("echo '{' > pipeline.yaml", "@daily", "UTC", {}, "cannot read"),
        ("echo '- a' > pipeline.yaml", "@daily", "UTC", {}, "holds no mapping"),
        ("echo 'package: a b' > pipeline.yaml", "@daily", "UTC", {}, "names no package (found 'a b')"),
        ("echo 'name: a' > pipeline.yaml", "@daily", "UTC", {}, "names no package (found None)"),
        ("rm -r src", "@daily", "UTC", {}, "lacks 'src/tiny/__main__.py'"),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(
    project: Project, change: str, cron: str, zone: str, parameters: dict[str, object], told: str
) -> None:
    subprocess.run(change, shell=True, cwd=project.bundle, check=True)
    with pytest.raises(UserError) as fault:
        project.schedules.add(project.bundle, cron, zone, parameters)
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)
    assert project.schedules.list() == []


def test_the_bundles_own_schedule_is_taken_unless_another_is_named(project: Project) -> None:
    with pytest.raises(UserError, match="exported without a schedule"):
        project.schedules.add(project.bundle)
    plan = project.bundle / "pipeline.yaml"
    plan.write_text(plan.read_text() + "schedule: {cron: '0 6 * * 1', timezone: Asia/Tokyo, catchup: false}\n")
    own, other = project.schedules.add(project.bundle), project.schedules.add(project.bundle, "@daily")
    assert (own.cron, own.timezone) == ("0 6 * * 1", "Asia/Tokyo")
    assert (other.cron, other.timezone) == ("@daily", "UTC")
    assert project.schedules.add(project.bundle, timezone="Europe/Berlin").timezone == "Europe/Berlin"


def test_data_must_be_there(project: Project) -> None:
    with pytest.raises(UserError, match="no folder 'nowhere' for the data"):
        project.schedules.add(project.bundle, "@daily", data=Path("nowhere"))


def test_parameters_may_be_a_list_of_names(project: Project) -> None:
    (project.bundle / "pipeline.yaml").write_text("package: tiny\nparameters: [{name: n, default: 1}]\n")
    assert project.schedules.add(project.bundle, "@daily", parameters={"n": [1, None]}).parameters == {"n": "[1, null]"}
    with pytest.raises(UserError, match="it takes n"):
        project.schedules.add(project.bundle, "@daily", parameters={"nap": 1})


def test_finding_by_folder_or_id(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    schedules = project.schedules
    with pytest.raises(NotFoundError, match="add one with"):
        schedules.find("tiny")
    a, b = schedules.add(project.bundle, "@daily"), schedules.add(project.bundle, "@weekly")
    monkeypatch.chdir(project.root)
    assert schedules.find("tiny") == [a, b]
    assert schedules.find(b.id) == [b]
    with pytest.raises(UserError, match="begins the ids of 2 schedules"):
        schedules.remove(a.id[:2])
    with pytest.raises(UserError, match="has 2 schedules: name one of"):
        schedules.run_now("tiny")
    with pytest.raises(NotFoundError, match=f"no schedule 'nope': there are {a.id[:14]} \\(tiny\\), "):
        schedules.find("nope")
    assert schedules.list() == [a, b]


def test_a_run_by_hand_is_recorded_with_its_log_and_outcome(project: Project, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    schedule = project.schedules.add(project.bundle, "@daily", parameters={"n": "a b"}, data=data)
    run = project.schedules.run_now(project.bundle)
    assert (run.status, run.schedule, run.reason) == (RunState.SUCCEEDED, schedule.id, "")
    said = json.loads(json.dumps(run.outcome))
    folder = project.root / ".mlops"
    store = Path(said["options"].pop("--store"))
    assert store.parent == folder / "store"
    assert store.is_dir()
    assert said.pop("options") == {"--run": run.id, "--data": str(data)}
    assert said == {
        **{"run": run.id, "status": "succeeded", "command": "run", "given": {"n": "a b"}, "cwd": str(project.bundle)},
        **{"uri": Workspace.open(project.root).tracking_uri, "path": str(project.bundle / "src")},
        **{"exit_code": 0, "reason": None, "tries": 1, "trigger": "hand"},
    }
    log = run.log.read_text()
    assert run.log == folder / "schedule-logs" / f"{run.id}.txt"
    assert log.startswith("$ ")
    assert "a warning" in log
    assert "a step says hello" in log
    assert project.schedules.history() == [run] == project.schedules.history(project.bundle)
    assert project.schedules.history(schedule.id) == [run]
    assert project.schedules.history("other") == []


def test_history_stays_after_removal(project: Project) -> None:
    project.schedules.add(project.bundle, "@daily")
    run = project.schedules.run_now(project.bundle)
    project.schedules.remove(project.bundle)
    assert project.schedules.history(project.bundle) == [run]


def test_a_bundle_that_is_gone_fails_its_run(project: Project) -> None:
    schedule = project.missed()
    (project.bundle / "pipeline.yaml").unlink()
    run = project.schedules.run_due(schedule.id)
    assert run.status is RunState.FAILED
    assert "there is no pipeline.yaml" in run.reason


NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
HOUR = 3600.0


@pytest.mark.parametrize(
    "created, runs, now, due",
    [
        (NOON - 60, [], NOON - 1, None),
        (NOON - 60, [], NOON, NOON),
        (NOON, [], NOON + 60, None),  # made at the tick: the next one is the first
        (NOON - 60, [], NOON + 3 * HOUR + 1, NOON + 3 * HOUR),  # of several missed only the last
        (NOON - 60, [(NOON, NOON + 5, "clock")], NOON + 60, None),
        (NOON - 60, [(NOON, NOON + 5, "clock")], NOON + HOUR, NOON + HOUR),
        (NOON - 60, [(NOON, NOON + HOUR + 60, "clock")], NOON + HOUR + 120, None),  # fell into a long run
        (NOON - 60, [(NOON, NOON + HOUR + 60, "clock")], NOON + 2 * HOUR, NOON + 2 * HOUR),
        (NOON - 60, [(NOON, None, "clock")], NOON + HOUR + 1, NOON + HOUR),  # lost: what came after is still due
        (NOON - 60, [(NOON + 30, NOON + 35, "hand")], NOON + 60, NOON),  # a run by hand does not stand for the tick
    ],
)
def test_what_is_due(project: Project, created: float, runs: list, now: float, due: float | None) -> None:
    workspace = Workspace.open(project.root)
    at = [created]
    schedules = Schedules(workspace.ledger, workspace.folder, "sqlite://", now=lambda: at[0])
    schedule = schedules.add(project.bundle, "0 * * * *")
    for tick, ended, trigger in runs:
        workspace.ledger.execute(
            "INSERT INTO schedule_run (id, schedule, due, ended, status, outcome) VALUES (?, ?, ?, ?, 'failed', ?)",
            (str(tick), schedule.id, tick, ended, json.dumps({"trigger": trigger})),
        )
    at[0] = now
    assert schedules.due_tick(schedule) == due


TICK = """
import sys, time
from pathlib import Path
from mlops_jupyter.workspace import Workspace
schedules = Workspace.open(Path(sys.argv[1])).schedules
time.sleep(max(0.0, float(sys.argv[3]) - time.time()))
print(schedules.run_due(sys.argv[2]) is not None)
"""


def test_the_row_is_the_fence_where_there_is_no_lock(project: Project) -> None:
    """Three processes, without the scheduler's lock, try to run one tick at the same moment."""
    schedule = project.missed(nap="0.5")
    command = [sys.executable, "-c", TICK, str(project.root), schedule.id, str(time.time() + 1.0)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    racers = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sorted(racer.communicate(timeout=30)[0] for racer in racers) == ["False\n", "False\n", "True\n"]
    assert len(project.ran()) == 1
    assert project.statuses() == ["succeeded"]
