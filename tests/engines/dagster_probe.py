"""Run by Dagster's own interpreter: loads files of definitions, runs their jobs, and prints as JSON what came of it."""

import importlib.util
import itertools
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster
from dagster._core.utils import make_new_run_id
from dagster._utils.schedules import schedule_execution_time_iterator


def main(asked: dict) -> dict[str, object]:
    found: dict[str, object] = {"runs": [], "described": {}, "ticks": [instants(*row) for row in asked["ticks"]]}
    for path in asked["files"]:
        found["described"][path] = described(load(path).definitions)
    for path, parameters, environment in asked["runs"]:
        os.environ.update(environment)
        found["runs"].append(run(load(path), parameters))
    for path in asked["sensors"]:
        found["sensors " + Path(path).stem] = looks(load(path))
    found["asked after"] = [after(load(asked["after"]), name) for name in ("linear", "other")]
    found["origin"] = origin(load(asked["after"]))
    return found


def load(path: str):
    spec = importlib.util.spec_from_file_location("loaded", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def described(definitions: dagster.Definitions) -> dict[str, object]:
    repository = definitions.get_repository_def()
    (job,) = (job for job in repository.get_all_jobs() if not job.name.startswith("__"))  # Dagster's own
    return {
        "job": job.name,
        "title": job.description,
        "schedules": [
            [s.cron_schedule, s.execution_timezone, s.default_status.value] for s in repository.schedule_defs
        ],
        "sensors": [[s.minimum_interval_seconds, s.default_status.value] for s in repository.sensor_defs],
        "assets": {
            "/".join(key.path): sorted("/".join(before.path) for before in node.parent_keys)
            for node in repository.asset_graph.asset_nodes
            for key in [node.key]
        },
        "ops": {
            node.name: {
                "after": upstream(job, node.name),
                "retries": node.definition.retry_policy and node.definition.retry_policy.max_retries,
                "delays": [node.definition.retry_policy.calculate_delay(n) for n in (1, 2, 3)]
                if node.definition.retry_policy
                else [],
                "tags": dict(node.definition.tags),
            }
            for node in job.nodes
        },
        "parameters": {
            name: [field.config_type.key, field.default_value]
            for name, field in job.resource_defs["parameters"].config_schema.config_type.fields.items()
        },
    }


def upstream(job, name: str) -> list[str]:
    return sorted(
        output.node_name
        for node, outputs in job.graph.dependency_structure.input_to_upstream_outputs_for_node(name).items()
        for output in outputs
    )


def instants(cron: str, zone: str, start: str, count: int) -> list[str]:
    found, after = [], datetime.fromisoformat(start).timestamp()
    for tick in schedule_execution_time_iterator(after, cron, zone):
        if tick.timestamp() > after:
            found.append(tick.astimezone(UTC).isoformat())
        if len(found) == count:
            return found
    return found


def run(module, parameters: dict[str, object]) -> dict[str, object]:
    """Run the job in this process."""
    with dagster.DagsterInstance.ephemeral() as instance:
        config = {"resources": {"parameters": {"config": parameters}}}
        job = module.definitions.resolve_job_def(module.JOB)
        done = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
        return {
            "run": module.run_name(done.run_id),
            "success": done.success,
            "failures": {
                e.step_key: e.event_specific_data.error.to_string() for e in done.all_events if e.is_step_failure
            },
            "made": [
                ["/".join(e.asset_key.path), e.event_specific_data.materialization.metadata["run"].value]
                for e in done.all_events
                if e.is_step_materialization
            ],
            "retried": [e.step_key for e in done.all_events if e.is_step_up_for_retry],
        }


def looks(module) -> list[object]:
    """What the sensor asks for, at once and a second time."""
    with dagster.DagsterInstance.ephemeral() as instance:
        context = dagster.build_sensor_context(instance=instance)
        return [getattr(module.sensor(context), "run_key", None) for _ in range(2)]


def after(module, name: str) -> str | None:
    """For which run the sensor asks when a job of that name has succeeded: "the same" for that one."""

    @dagster.job(name=name)
    def other() -> None:
        dagster.op(name="nothing")(lambda: None)()

    with dagster.DagsterInstance.ephemeral() as instance:
        done = other.execute_in_process(instance=instance)
        context = dagster.build_run_status_sensor_context(
            "sensor", done.get_run_success_event(), instance, done.dagster_run
        )
        key = getattr(module.sensor(context), "run_key", None)
        return "the same" if key == done.run_id else key


def origin(module) -> str:
    """The run that one belongs to which goes on from where another failed."""
    ids = [make_new_run_id() for _ in range(3)]
    runs = [dagster.DagsterRun(job_name="wished", run_id=ids[0])]
    for before, one in itertools.pairwise(ids):
        tags = {"dagster/is_resume_retry": "true"}
        runs.append(dagster.DagsterRun("wished", one, parent_run_id=before, root_run_id=ids[0], tags=tags))
    with dagster.DagsterInstance.ephemeral() as instance:
        for run in runs:
            instance.add_run(run)
        return "the first" if module.origin(runs[-1], instance) == ids[0] else "another"


if __name__ == "__main__":
    answer = main(json.loads(Path(sys.argv[1]).read_text()))
    Path(sys.argv[2]).write_text(json.dumps(answer))
