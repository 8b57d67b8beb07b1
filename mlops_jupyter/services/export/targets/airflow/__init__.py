"""Airflow 3: `dags/<package>.py`, in which each step is a task that runs the bundle's own command.

The tasks know nothing of the steps' packages and the steps nothing of Airflow, so the two environments never mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.dst import utc_offsets
from mlops_jupyter.services.cron.portable import in_zone
from mlops_jupyter.services.export.emit.parameters import overridable, unsettable
from mlops_jupyter.services.export.emit.python import identifier, literal
from mlops_jupyter.services.export.emit.templates import Template, fill
from mlops_jupyter.services.export.targets import Feature

name = "airflow"
title = "Airflow 3"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
        Feature.CATCHUP,
        Feature.CONCURRENCY,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def render(plan: Plan) -> Mapping[str, str]:
    """Return the DAG file. Whatever the plan's texts hold, they are data: they stand there as literals, or not at all.

    Raises
    ------
    UserError
        A name is no identifier, or Airflow cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    parts = {
        "PACKAGE": package,
        "OWN": "AIRFLOW",
        "TITLE": literal(plan.name),
        "STEPS": _steps(plan),
        "PARAMS": _params(plan),
        "CONCURRENCY": literal(plan.schedule.concurrency if plan.schedule else 1),
    }
    parts |= _secrets(plan) | _schedule(plan.schedule)
    # Only what the file uses is imported in it.
    timetable = parts["SCHEDULE"].partition("(")[0]
    optional = {timetable: timetable != "None", "Param": parts["PARAMS"] != "{}"}
    names = [*(name for name, used in optional.items() if used), "Variable", "dag", "get_current_context", "task"]
    parts["SDK"] = ", ".join(names)
    parts["DATETIME"] = "datetime, timedelta" if parts["START"] else "timedelta"
    parts["ZONEINFO"] = "from zoneinfo import ZoneInfo\n" if parts["START"] else ""
    return {f"dags/{package}.py": fill(__package__, "dag.txt", parts)}


def _secrets(plan: Plan) -> dict[str, str]:
    """Return the parts of the template for secrets and the alert; empty ones where the plan has none."""
    read = [secret for secret in plan.secrets if secret != plan.alert]
    alert = ALERT.substitute(NAME=literal(plan.alert)) if plan.alert else ""
    return {
        "SECRETS": f"revealed({literal(read)})" if read else "{}",
        "REVEALED": REVEALED if plan.secrets else "",
        "MASK": "from airflow.sdk.log import mask_secret\n" if plan.secrets else "",
        "ALERT": alert,
        "ARGUMENTS": '        "on_failure_callback": alert,\n' if alert else "",
        "VARIABLES": "".join(
            f"* `{identifier(plan.package, 'package')}_{identifier(secret, 'secret')}`: the secret `{secret}`; without "
            "it, the worker's environment variable of that name.\n"
            for secret in plan.secrets
        ),
    }


REVEALED = '''\
def revealed(names: list[str]) -> dict[str, str]:
    """Return secrets, each from its Variable or from the environment where there is none."""
    found = {name: setting(name) or os.environ.get(name) for name in names}
    if missing := [name for name, value in found.items() if value is None]:
        raise RuntimeError(f"no secret {', '.join(missing)}: set Variables such as {PACKAGE}_{missing[0]}")
    for value in found.values():
        mask_secret(value)
    return found


'''

ALERT = Template('''\
def alert(context: Any) -> None:
    """Say that a step of a run failed, to the web address that a secret holds."""
    call(["alert", "--to", @@{NAME}], context["run_id"], revealed([@@{NAME}]))


''')


def _steps(plan: Plan) -> str:
    lines = ["    steps = {", *(f"        {literal(step.name)}: {_step(step)}," for step in plan.steps), "    }"]
    downstream: dict[str, list[str]] = {}
    for before, after in plan.edges():
        downstream.setdefault(before, []).append(f"steps[{literal(after)}]")
    for before, others in downstream.items():
        right = others[0] if len(others) == 1 else f"[{', '.join(others)}]"
        lines.append(f"    steps[{literal(before)}] >> {right}")
    return "\n".join(lines)


def _step(step: PlanStep) -> str:
    settings = [literal(identifier(step.name, "step"))]
    if step.resources.retries:
        settings.append(f"retries={literal(step.resources.retries)}")
        if step.resources.backoff_seconds:
            settings.append(f"retry_delay=timedelta(seconds={literal(step.resources.backoff_seconds)})")
    if step.resources.timeout_seconds:
        settings.append(f"execution_timeout=timedelta(seconds={literal(step.resources.timeout_seconds)})")
    return f"step({', '.join(settings)})"


def _params(plan: Plan) -> str:
    lines = [f"        {literal(p.name)}: {_param(p)},\n" for p in overridable(plan)]
    return f"{{\n{''.join(lines)}    }}" if lines else "{}"


def _param(parameter: Parameter) -> str:
    value = parameter.default
    if value is None:  # the notebook says nothing of its type, so any is taken
        return f"Param(None, type={literal(['null', *JSON_TYPES.values()])})"
    return f"Param({literal(value)}, type={literal(JSON_TYPES[type(value)])})"


def _schedule(schedule: ScheduleSpec | None) -> dict[str, str]:
    if schedule is None or not (schedule.cron or schedule.every_seconds):
        return {"SCHEDULE": "None", "CATCHUP": "False", "START": ""}
    zone = "UTC"
    if schedule.cron:
        cron, zone = _cron(schedule)
        # The timetable is named: what a bare string means depends on Airflow's settings.
        timetable = f"CronTriggerTimetable({literal(cron)}, timezone={literal(zone)})"
    else:
        timetable = f"DeltaTriggerTimetable(timedelta(seconds={literal(schedule.every_seconds)}))"
    start = ""  # none without catchup: the first run is then the next one due, not one of the past
    if schedule.catchup:
        day, place = _start(schedule), literal(schedule.timezone)
        start = f"\n    start_date=datetime({day.year}, {day.month}, {day.day}, tzinfo=ZoneInfo({place})),"
    return {"SCHEDULE": timetable, "CATCHUP": literal(schedule.catchup), "START": start}


def _cron(schedule: ScheduleSpec) -> tuple[str, str]:
    cron, zone = in_zone(schedule, title)
    if cron.split()[1] == "*" and cron.split()[2:] != ["*", "*", "*"] and len(utc_offsets(zone)) > 1:
        # Seen with Airflow 3.3: across a change of the clocks it begins such a day an hour too soon or too late.
        raise UserError(
            f"cron {schedule.cron!r} fires in every hour of some days, and where the clocks change as in {zone} "
            f"Airflow begins such days an hour off: give the schedule in UTC, or other hours"
        )
    return cron, zone


def _start(schedule: ScheduleSpec) -> date:
    try:
        return date.fromisoformat(schedule.start)
    except ValueError:
        raise UserError(
            f"catchup with start {schedule.start!r}: give the day from which missed runs count, such as '2026-01-31'"
        ) from None


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to an Airflow that runs."""
    package = plan.package
    secrets = "".join(f"airflow variables set {package}_{secret} ...\n" for secret in plan.secrets)
    if secrets:
        secrets = f"\nSecrets are Variables too, or environment variables of the workers:\n\n```sh\n{secrets}```\n"
    return f"""\
Tested with Airflow 3.3. The DAG runs the steps with the bundle's `.venv`; Airflow needs none of their packages.

```sh
python{plan.environment.python} -m venv .venv
.venv/bin/python -m pip install -r requirements.lock
ln -s "$PWD/dags/{package}.py" "$AIRFLOW_HOME/dags/"
airflow dags test {package}
airflow dags unpause {package}
```

With several workers the bundle and its `.venv` must lie on each, and the store where all reach it. Airflow Variables
say where, and in which folder newer data files are (without it, the copies in the bundle are read):

```sh
airflow variables set {package}_home /opt/pipelines/{package}
airflow variables set {package}_python /opt/pipelines/{package}/.venv/bin/python
airflow variables set {package}_store s3://bucket/{package}
airflow variables set {package}_data /data/{package}
```
{secrets}{unsettable(plan, title)}"""
