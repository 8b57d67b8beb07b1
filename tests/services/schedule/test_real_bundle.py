"""An exported pipeline on the embedded scheduler: its own schedule, its values, a try that goes on where one ended."""

import time
from datetime import date
from pathlib import Path

import pytest

from mlops_jupyter.core.plan import Resources
from mlops_jupyter.services.schedule.models import RunState
from mlops_jupyter.services.schedule.options import ScheduleOptions
from mlops_jupyter.workspace import Workspace
from tests.engines.demos import DEMOS, DIAMOND, LINEAR, Demo, bundle, proven

from .conftest import Project, until


@pytest.fixture
def project(tmp_path: Path):
    made = Project(tmp_path / "project")
    Workspace(made.root).close()
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_notebooks_own_values(project: Project, demo: Demo) -> None:
    """By a real scheduler, at the times that the bundle was exported with."""
    laid = bundle(demo, project.root, every="1h", concurrency=2)
    made = project.at(time.time() - 3660).add(laid)  # one tick since
    assert (made.spec.every_seconds, made.spec.concurrency) == (3600, 2)
    process = project.start()
    until(lambda: project.statuses() not in ([], ["running"]), 60)
    process.terminate()
    assert process.wait(30) == 0
    [run] = project.schedules.history()
    [store] = (project.root / ".mlops" / "store").iterdir()
    assert run.status is RunState.SUCCEEDED
    assert proven(laid, store, demo) == run.id


def test_a_second_try_goes_on_where_the_first_ended(project: Project) -> None:
    """The last step fails once; those before it are not run again."""
    laid = bundle(LINEAR, project.root)
    [package] = [folder for folder in (laid / "src").iterdir() if (folder / "__main__.py").is_file()]
    step = package / "steps" / "sum_up.py"
    once = project.root / "failed-once"
    text = step.read_text()
    body = f"    import pathlib\n\n    if not pathlib.Path({str(once)!r}).exists():\n"
    body += f"        pathlib.Path({str(once)!r}).touch()\n        raise OSError('not yet')\n"
    at = text.index("\n", text.index("def sum_up(")) + 1
    step.write_text(text[:at] + body + text[at:])
    made = project.schedules.add(laid, options=ScheduleOptions(cron="@yearly", tries=Resources(retries=1)))
    run = project.schedules.run_now(made.id)
    assert (run.status, run.outcome["tries"]) == (RunState.SUCCEEDED, 2), run.reason
    assert {step["step"]: step["status"] for step in run.outcome["steps"]} == {
        "load": "cached",
        "clean": "cached",
        "sum_up": "done",
    }


def test_parameters_and_backfill(project: Project) -> None:
    laid = bundle(DIAMOND, project.root)
    made = project.schedules.add(laid, "@daily", parameters=DIAMOND.given)
    [run] = project.scheduler.backfill(made.id, date(2026, 1, 1), date(2026, 1, 1))
    [store] = (project.root / ".mlops" / "store").iterdir()
    assert run.status is RunState.SUCCEEDED
    assert proven(laid, store, DIAMOND, then=True) == run.id
