"""systemd: a service that runs the pipeline, and what starts it: a timer, a path that changes, another service.

The units are those of a user, so no rights are needed; `%h` is that user's home.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan, ScheduleSpec
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.shell import START, keeping, secrets
from mlops_jupyter.services.export.emit.templates import fill
from mlops_jupyter.services.export.targets import Feature
from mlops_jupyter.services.export.targets.systemd.calendar import on_calendar

name = "systemd"
title = "systemd"
expresses = frozenset(
    {
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
        Feature.DATA,
        Feature.AFTER,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.CPU,
        Feature.MEMORY,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

UNITS = "systemd/units"
Setting = tuple[str, str]


def render(plan: Plan) -> Mapping[str, str]:
    """Return the units, and the program that they run.

    Raises
    ------
    UserError
        A name is no identifier, or systemd cannot start runs when the schedule says.
    """
    package = _unit_name(plan.package)
    for what, parts_of_plan in (("step", plan.steps), ("parameter", plan.parameters)):
        for part in parts_of_plan:
            identifier(part.name, what)
    parts = {
        "PACKAGE": package,
        "START": START.rstrip(),
        "SECRETS": secrets(plan.secrets, '"$CREDENTIALS_DIRECTORY"'),
    }
    files = {"systemd/run.sh": fill(__package__, "run.txt", parts), f"{UNITS}/{package}.service": _service(plan)}
    if plan.alert:
        files[f"{UNITS}/{package}-alert.service"] = _alert(plan)
    return files | (_starts(package, plan.schedule) if plan.schedule else {})


def _unit_name(package: str) -> str:
    if identifier(package, "package").isascii():
        return package
    raise UserError(f"package {package!r} names no unit of systemd: give the export a --name of ASCII letters")


def _unit(**sections: Iterable[Setting]) -> str:
    """Return the text of a unit file. No value has a line break: `_path` sees to the only one that could."""
    texts = (
        "\n".join([f"[{section}]", *(f"{key}={value}" for key, value in settings)])
        for section, settings in sections.items()
    )
    return "\n\n".join(texts) + "\n"


def _service(plan: Plan) -> str:
    unit = [("Description", f"The pipeline {plan.package}")]
    unit += [("OnFailure", f"{plan.package}-alert.service")] if plan.alert else []
    # A step's time limit is kept by the pipeline, which also ends what a step has started.
    service = [*_runs(plan, "run"), ("TimeoutStartSec", "infinity"), ("KillMode", "mixed")]
    memory = sum(step.resources.memory_bytes or 0 for step in plan.steps)
    cpu = sum(step.resources.cpu or 0 for step in plan.steps)
    service += [("MemoryMax", str(memory))] if memory else []
    service += [("CPUQuota", f"{max(1, round(cpu * 100))}%")] if cpu else []
    return _unit(Unit=unit, Service=service)


def _alert(plan: Plan) -> str:
    unit = [("Description", f"Says that the pipeline {plan.package} failed")]
    return _unit(Unit=unit, Service=_runs(plan, f"alert {plan.alert}"))


def _runs(plan: Plan, verb: str) -> list[Setting]:
    package = plan.package
    return [
        ("Type", "oneshot"),
        ("ExecStart", f"/bin/sh %h/pipelines/{package}/systemd/run.sh {verb}"),
        *(("LoadCredential", f"{secret}:%h/.config/{package}/secrets/{secret}") for secret in plan.secrets),
    ]


def _starts(package: str, schedule: ScheduleSpec) -> dict[str, str]:
    """Return path -> text of the unit that starts the service; nothing for a schedule that systemd cannot express."""
    unit = [("Description", f"Starts the pipeline {package}")]
    if schedule.after:
        folder = f"{UNITS}/{_unit_name(schedule.after)}.service.d"
        return {f"{folder}/{package}.conf": _unit(Unit=[("OnSuccess", f"{package}.service")])}
    if schedule.data:
        path = [("PathChanged", _path(schedule.data))]
        return {f"{UNITS}/{package}.path": _unit(Unit=unit, Path=path, Install=[("WantedBy", "paths.target")])}
    if schedule.cron:
        times = [*(("OnCalendar", when) for when in on_calendar(schedule)), ("Persistent", "true")]
    elif schedule.every_seconds:
        times = [(key, f"{schedule.every_seconds}s") for key in ("OnActiveSec", "OnUnitActiveSec")]
    else:
        return {}
    timer = [*times, ("AccuracySec", "1s")]
    return {f"{UNITS}/{package}.timer": _unit(Unit=unit, Timer=timer, Install=[("WantedBy", "timers.target")])}


def _path(data: str) -> str:
    """Return a path as a unit file holds it; raise `UserError` if systemd cannot watch or cannot read it."""
    if not data.startswith("/") or any(sign in data for sign in "*?["):
        raise UserError(f"systemd cannot watch {data!r}: give the whole path of one file or folder on its machine")
    if not data.isprintable() or data != data.strip() or data.endswith("\\"):
        raise UserError(f"systemd cannot read the path {data!r}: rename it to plain letters")
    return data.replace("%", "%%")


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to a machine with systemd."""
    package = plan.package
    schedule = plan.schedule
    kind = "path" if schedule and schedule.data else "timer"
    starts = schedule and (schedule.cron or schedule.every_seconds or schedule.data)
    enable = f"systemctl --user enable --now {package}.{kind}\n" if starts else ""
    return f"""\
As the user who is to run it, with systemd 250 or newer:

```sh
python{plan.environment.python} -m venv .venv && .venv/bin/python -m pip install -r requirements.lock
mkdir -p ~/pipelines ~/.config/systemd/user && ln -sfn "$PWD" ~/pipelines/{package}
{keeping(package, plan.secrets)}cp -r {UNITS}/. ~/.config/systemd/user/
systemctl --user daemon-reload
{enable}loginctl enable-linger    # it goes on when you are logged out
```

A run by hand: `systemctl --user start {package}`; what it prints: `journalctl --user --unit {package}`. A parameter:
`systemctl --user edit {package}`, then `ExecStart=` and the line of the unit with `-p NAME=VALUE` at its end.
"""
