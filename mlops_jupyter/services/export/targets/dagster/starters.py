"""What starts the job on Dagster: a schedule, or a sensor that looks whether a run is due."""

from __future__ import annotations

from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.portable import in_zone
from mlops_jupyter.services.export.emit.python import literal
from mlops_jupyter.services.export.emit.templates import Template

PATIENCE_SECONDS = 30
"""Seconds between two looks of a sensor; the sensor of a shorter interval looks once in each."""


def starters(schedule: ScheduleSpec | None, after: str) -> dict[str, str]:
    """Return the parts of the template for a schedule or a sensor: its source, its argument, the imports it needs.

    Parameters
    ----------
    after : the job of the pipeline after which this pipeline runs; "" for none.
    """
    if schedule is None or schedule.drift:  # drift: `expresses` does not have it
        return dict.fromkeys(("SCHEDULE", "STARTERS", "GLOB", "TIME"), "")
    if schedule.cron:
        cron, place = in_zone(schedule, "Dagster")
        text = CRON.substitute(CRON=literal(cron), ZONE=literal(place))
        return {"SCHEDULE": text, "STARTERS": ", schedules=[schedule]", "GLOB": "", "TIME": ""}
    if schedule.every_seconds:
        look = min(schedule.every_seconds, PATIENCE_SECONDS)
        text = INTERVAL.substitute(EVERY=literal(schedule.every_seconds), LOOK=literal(look))
    elif schedule.data:
        text = DATA.substitute(LOOK=literal(PATIENCE_SECONDS), PATTERN=literal(schedule.data))
    else:
        text = AFTER.substitute(AFTER=literal(after))
    # Only what the file uses is imported in it.
    return {
        "SCHEDULE": text,
        "STARTERS": ", sensors=[sensor]",
        "GLOB": "import glob\n" if schedule.data else "",
        "TIME": "import time\n" if schedule.every_seconds else "",
    }


CRON = Template("""\
schedule = dagster.ScheduleDefinition(
    name=f"{JOB}_schedule",
    job=pipeline,
    cron_schedule=@@{CRON},
    execution_timezone=@@{ZONE},
    default_status=dagster.DefaultScheduleStatus.RUNNING,
)

""")

INTERVAL = Template('''\
EVERY_SECONDS = @@{EVERY}


@dagster.sensor(
    name=f"{JOB}_sensor",
    job=pipeline,
    minimum_interval_seconds=@@{LOOK},
    default_status=dagster.DefaultSensorStatus.RUNNING,
)
def sensor(context: dagster.SensorEvaluationContext) -> dagster.RunRequest:
    """Ask for a run in each interval, counted from 1970; Dagster starts none twice for one key."""
    return dagster.RunRequest(run_key=str(int(time.time()) // EVERY_SECONDS * EVERY_SECONDS))


''')

DATA = Template('''\
PATTERN = @@{PATTERN}


def lying() -> list[str]:
    """Return what lies there of the data files: each with its size and the time of its last change."""
    if "://" in PATTERN:
        import fsspec

        files, path = fsspec.core.url_to_fs(PATTERN)
        return sorted(repr(sorted(facts.items())) for facts in files.glob(path, detail=True).values())
    home = Path(setting("data") or setting("home") or Path(__file__).resolve().parent.parent)
    found = ((path, Path(path).stat()) for path in glob.glob(str(home / PATTERN), recursive=True))
    return sorted(f"{path} {facts.st_size} {facts.st_mtime_ns}" for path, facts in found)


@dagster.sensor(
    name=f"{JOB}_sensor",
    job=pipeline,
    minimum_interval_seconds=@@{LOOK},
    default_status=dagster.DefaultSensorStatus.RUNNING,
)
def sensor(context: dagster.SensorEvaluationContext) -> dagster.RunRequest | dagster.SkipReason:
    """Ask for a run when what lies there is new; Dagster starts none twice for one key."""
    found = lying()
    if not found:
        return dagster.SkipReason("there is nothing yet")
    return dagster.RunRequest(run_key=hashlib.blake2b("\\n".join(found).encode(), digest_size=16).hexdigest())


''')

AFTER = Template('''\
AFTER = @@{AFTER}


@dagster.run_status_sensor(
    name=f"{JOB}_sensor",
    run_status=dagster.DagsterRunStatus.SUCCESS,
    request_job=pipeline,
    monitor_all_code_locations=True,
    default_status=dagster.DefaultSensorStatus.RUNNING,
)
def sensor(context: dagster.RunStatusSensorContext) -> dagster.RunRequest | dagster.SkipReason:
    """Ask for a run when one of the other pipeline has succeeded."""
    if context.dagster_run.job_name != AFTER:
        return dagster.SkipReason(f"not a run of {AFTER}")
    return dagster.RunRequest(run_key=context.dagster_run.run_id)


''')
