"""Run by Prefect's own interpreter: loads flows, runs them against a server of its own, and prints what came of it."""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from prefect import get_client
from prefect.blocks.system import Secret
from prefect.cli.deploy._models import PrefectYamlModel
from prefect.client.schemas.filters import FlowRunFilter
from prefect.flows import load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.utilities.callables import parameter_schema


def main(asked: dict) -> dict[str, object]:
    found: dict[str, object] = {"ticks": [instants(*row) for row in asked["ticks"]]}
    found["every"] = interval(asked["every"])
    found["deployments"] = [deployment(Path(path)) for path in asked["deployments"]]
    Secret(value="s3cret").save("token")
    found["runs"] = [run(*row) for row in asked["runs"]]
    return found


def instants(cron: str, zone: str, start: str, count: int) -> list[str]:
    schedule = CronSchedule(cron=cron, timezone=zone)
    after = datetime.fromisoformat(start) + timedelta(seconds=1)
    return [tick.astimezone(UTC).isoformat() for tick in asyncio.run(schedule.get_dates(n=count, start=after))]


def interval(facts: dict[str, object]) -> list[float]:
    schedule = IntervalSchedule.model_validate(facts)
    return [tick.timestamp() for tick in asyncio.run(schedule.get_dates(n=50, start=datetime(2026, 3, 28, tzinfo=UTC)))]


def deployment(path: Path) -> dict[str, object]:
    """What `prefect deploy` reads, and the parameters that people are asked for."""
    (found,) = PrefectYamlModel.model_validate(yaml.safe_load(path.read_text())).deployments
    file, name = found.entrypoint.split(":")
    loaded = load_flow_from_entrypoint(f"{path.parent / file}:{name}")
    schema = parameter_schema(loaded)
    return {
        "name": found.name,
        "flow": loaded.name,
        "title": loaded.description,
        "schedules": [json.loads(each.model_dump_json(exclude_none=True)) for each in found.schedules or []],
        "concurrency": found.concurrency_limit and found.concurrency_limit.model_dump(mode="json", exclude_none=True),
        "parameters": {name: [p.get("type"), p.get("default")] for name, p in schema.properties.items()},
    }


def run(path: str, parameters: dict[str, object], environment: dict[str, str]) -> dict[str, object]:
    os.environ.update(environment)
    loaded = load_flow_from_entrypoint(f"{path}:pipeline")
    state = loaded(**parameters, return_state=True)
    run_id = state.state_details.flow_run_id
    tasks = recorded(run_id, 4 if "diamond" in path else 3)
    names = {task.id: task.name for task in tasks}
    return {
        "run": str(run_id),
        "state": state.name,
        "tasks": {
            task.name: {
                "state": task.state.name,
                "retries": task.empirical_policy.retries or 0,
                "after": sorted({names[each.id] for each in task.task_inputs.get("wait_for", [])}),
                "delays": task.empirical_policy.retry_delay,
            }
            for task in tasks
        },
    }


def recorded(run_id, count: int):
    """The tasks of a run, once the server knows how each ended: it is told of that by the way."""
    for _ in range(60):
        with get_client(sync_client=True) as client:
            tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id={"any_": [run_id]}))
        if len(tasks) == count and all(task.state and task.state.is_final() for task in tasks):
            break
        time.sleep(0.5)
    return tasks


if __name__ == "__main__":
    answer = main(json.loads(Path(sys.argv[1]).read_text()))
    Path(sys.argv[2]).write_text(json.dumps(answer))
