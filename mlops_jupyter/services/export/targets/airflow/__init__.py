"""Airflow 3: `dags/<package>.py`, in which each step is a task that runs the bundle's own command.

The tasks know nothing of the steps' packages and the steps nothing of Airflow, so the two environments never mix.

It fires when crontab does, but for two hours a year: what falls due at a fixed time that the clocks skip runs at the
same minute an hour later (crontab: right after the gap), and what falls due at one that comes twice runs at its second
coming (crontab: at the first).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, Schedule, Step
from mlops_jupyter.services.export.spelling import jsons
from mlops_jupyter.services.export.spelling.frames import filled
from mlops_jupyter.services.export.spelling.python import identifier, literal
from mlops_jupyter.services.export.targets import Feature

name = "airflow"
title = "Airflow 3"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.CATCHUP,
        Feature.RETRIES,
        Feature.TIMEOUT,
    }
)

JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def render(plan: Plan) -> Mapping[str, str]:
    """Return the DAG file. Whatever the plan's texts hold, it is data there: written as literals or not at all.

    Raises
    ------
    UserError
        A name is no identifier, or Airflow cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    parts = {"PACKAGE": package, "TITLE": literal(plan.name), "STEPS": _steps(plan), "PARAMS": _params(plan)}
    parts |= _schedule(plan.schedule)
    # Only what the file uses is imported in it.
    optional = {"CronTriggerTimetable": plan.schedule is not None, "Param": parts["PARAMS"] != "{}"}
    names = [*(name for name, used in optional.items() if used), "Variable", "dag", "get_current_context", "task"]
    parts["SDK"] = ", ".join(names)
    parts["DATETIME"] = "datetime, timedelta" if parts["START"] else "timedelta"
    parts["ZONEINFO"] = "from zoneinfo import ZoneInfo\n" if parts["START"] else ""
    return {f"dags/{package}.py": filled(__package__, "dag.txt", parts)}


def _steps(plan: Plan) -> str:
    lines = ["    steps = {", *(f"        {literal(step.name)}: {_step(step)}," for step in plan.steps), "    }"]
    downstream: dict[str, list[str]] = {}
    for before, after in plan.edges():
        downstream.setdefault(before, []).append(f"steps[{literal(after)}]")
    for before, others in downstream.items():
        right = others[0] if len(others) == 1 else f"[{', '.join(others)}]"
        lines.append(f"    steps[{literal(before)}] >> {right}")
    return "\n".join(lines)


def _step(step: Step) -> str:
    settings = [literal(identifier(step.name, "step"))]
    if step.resources.retries:
        settings.append(f"retries={literal(step.resources.retries)}")
    if step.resources.timeout_seconds:
        settings.append(f"execution_timeout=timedelta(seconds={literal(step.resources.timeout_seconds)})")
    return f"step({', '.join(settings)})"


def _params(plan: Plan) -> str:
    lines = [
        f"        {literal(identifier(p.name, 'parameter'))}: {_param(p)},\n" for p in plan.parameters if in_json(p)
    ]
    return f"{{\n{''.join(lines)}    }}" if lines else "{}"


def _param(parameter: Parameter) -> str:
    value = parameter.default
    if value is None:  # the notebook says nothing of its type, so any is taken
        return f"Param(None, type={literal(['null', *JSON_TYPES.values()])})"
    return f"Param({literal(value)}, type={literal(JSON_TYPES[type(value)])})"


def in_json(parameter: Parameter) -> bool:
    """Whether the parameter goes to Airflow and back unchanged. NaN, infinities and keys that are no text do not.

    One that does not keeps the pipeline's own default and cannot be set from Airflow.
    """
    return bool(jsons.in_json(parameter.default))


def _schedule(schedule: Schedule | None) -> dict[str, str]:
    if schedule is None:
        return {"SCHEDULE": "None", "CATCHUP": "False", "START": ""}
    from mlops_jupyter.services.export.spelling.croniter import spelled
    from mlops_jupyter.services.schedule.clock import zone

    place = literal(zone(schedule.timezone).key)
    cron = literal(spelled(schedule.cron, title))
    start = ""  # none without catchup: the first run is then the next one due, not one of the past
    if schedule.catchup:
        day = _start(schedule)
        start = f"\n    start_date=datetime({day.year}, {day.month}, {day.day}, tzinfo=ZoneInfo({place})),"
    return {
        # The timetable is named: what a bare string means depends on Airflow's settings.
        "SCHEDULE": f"CronTriggerTimetable({cron}, timezone={place})",
        "CATCHUP": literal(schedule.catchup),
        "START": start,
    }


def _start(schedule: Schedule) -> date:
    try:
        return date.fromisoformat(schedule.start)
    except ValueError:
        raise UserError(
            f"catchup with start {schedule.start!r}: give the day from which missed runs count, such as '2026-01-31'"
        ) from None


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to an Airflow that runs."""
    package = plan.package
    kept = [f"`{p.name}`" for p in plan.parameters if not in_json(p)]
    fixed = f"\nNot to be set from Airflow, which cannot hold their defaults: {', '.join(kept)}.\n" if kept else ""
    if plan.schedule and plan.schedule.timezone != "UTC":
        fixed += "\nWhere a change of the clocks skips or repeats an hour, Airflow fires an hour later than crontab.\n"
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
{fixed}"""
