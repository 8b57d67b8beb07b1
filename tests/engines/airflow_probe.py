"""Run by Airflow's own interpreter: loads a folder of DAG files and prints as JSON what Airflow made of them."""

import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from types import ModuleType
from unittest import mock

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import instance


def main(folder: Path, ticks: list[list[str]]) -> dict[str, object]:
    bag = DagBag(dag_folder=str(folder))
    return {
        "errors": {Path(path).name: text for path, text in bag.import_errors.items()},
        "dags": {dag.dag_id: described(dag) for dag in bag.dags.values()},
        "ticks": [instants(*row) for row in ticks],
        "run": runs(module_of(bag.dags["mini"].fileloc)),
    }


def module_of(path: str) -> ModuleType:
    return next(module for module in sys.modules.values() if getattr(module, "__file__", None) == path)


def described(dag) -> dict[str, object]:
    timetable = dag.timetable
    return {
        "title": dag.dag_display_name,
        "cron": getattr(timetable, "expression", None),
        "timezone": str(getattr(timetable, "timezone", None)),
        "every": getattr(timetable, "delta", None) and timetable.delta.total_seconds(),
        "catchup": dag.catchup,
        "start": dag.start_date and dag.start_date.isoformat(),
        "max_active_runs": dag.max_active_runs,
        "params": {
            name: [dag.params.get_param(name).resolve(), dag.params.get_param(name).schema] for name in dag.params
        },
        "tasks": {
            task.task_id: {
                "after": sorted(task.upstream_task_ids),
                "retries": task.retries,
                "timeout": task.execution_timeout and task.execution_timeout.total_seconds(),
                "delay": task.retry_delay.total_seconds(),
                "backoff": task.retry_exponential_backoff,
            }
            for task in dag.tasks
        },
    }


def instants(cron: str, zone: str, start: str, count: str) -> list[str]:
    """Ticks as the scheduler asks for them: each the next after the last."""
    timetable = CronTriggerTimetable(cron, timezone=zone)
    earliest = instance(datetime.fromisoformat(start))
    info, found = None, []
    for _ in range(int(count)):
        info = timetable.next_dagrun_info(
            last_automated_data_interval=info and info.data_interval,
            restriction=TimeRestriction(earliest=earliest, latest=None, catchup=True),
        )
        found.append(info.run_after.isoformat())
    return found


def runs(module: ModuleType) -> dict[str, object]:
    """What the task's function does when its step fails, and when its time is up."""
    context = {"run_id": "manual__2026-11-21T06:00:00+00:00/../x", "params": {"text": "it's {{ ds }}"}}
    folder = Path(os.environ["PROBE_FOLDER"])
    settings = {"home": str(folder), "python": None, "store": None, "data": "/data/it's new"}
    found: dict[str, object] = {"name": module.run_name(context["run_id"])}
    with (
        mock.patch.object(module, "get_current_context", lambda: context),
        mock.patch.object(module, "setting", settings.get),
    ):
        try:
            module.run.function("fail")
        except RuntimeError as fault:
            found["failed"] = str(fault)
        found["called"] = json.loads((folder / "called.json").read_text())
        started = time.monotonic()
        try:
            with timeout(3):
                module.run.function("sleep")
        except AirflowTaskTimeout:
            found["timed out"] = time.monotonic() - started
            found["sleeper"] = int((folder / "sleeper.pid").read_text())
    return found


if __name__ == "__main__":
    answer = main(Path(sys.argv[1]), json.loads(sys.argv[2]))
    Path(sys.argv[3]).write_text(json.dumps(answer))
