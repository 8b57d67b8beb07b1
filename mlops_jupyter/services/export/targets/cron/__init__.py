"""cron, as Debian has it: `cron/crontab` with one line, and `cron/run.sh`, which that line runs.

Cron goes by the clock of its machine and knows no time zones. So times are written in UTC, where that can be done
exactly, and the line refuses to run on a machine whose clock is another.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan, ScheduleSpec
from mlops_jupyter.services.cron.dst import in_utc
from mlops_jupyter.services.cron.expression import MACROS, parse
from mlops_jupyter.services.cron.ticks import check, zone
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.shell import START, keeping, secrets
from mlops_jupyter.services.export.emit.templates import Template, fill
from mlops_jupyter.services.export.targets import Feature

name = "cron"
title = "cron"
expresses = frozenset(
    {
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
        Feature.CONCURRENCY,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

FOLDER = Template('"${SECRETS:-$HOME/.config/@@{PACKAGE}/secrets}"')
"""The folder of the secrets, each in a file, as a word of the shell."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the crontab and the program that its line runs.

    Raises
    ------
    UserError
        A name is no identifier, or cron cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    for what, parts_of_plan in (("step", plan.steps), ("parameter", plan.parameters)):
        for part in parts_of_plan:
            identifier(part.name, what)
    to = identifier(plan.alert, "secret") if plan.alert else ""
    command = f'  "$python" -m {package} alert --store "$store" --run "$run" --to {to} >> "$log" 2>&1 ||'
    parts = {
        "PACKAGE": package,
        "START": START.rstrip(),
        "SECRETS": secrets(plan.secrets, FOLDER.substitute(PACKAGE=package)),
        "ALERT": f'{command} say "the alert did not arrive"' if to else "  :",
        "CONCURRENCY": str(plan.schedule.concurrency if plan.schedule else 1),
    }
    return {"cron/crontab": _crontab(package, plan.schedule), "cron/run.sh": fill(__package__, "run.txt", parts)}


def _crontab(package: str, schedule: ScheduleSpec | None) -> str:
    times = _times(schedule) if schedule else ""
    # A percent sign would end a crontab's command: there is none in these words, nor in the name of a package.
    line = f'{times} /bin/sh "$HOME/pipelines/{package}/cron/run.sh" --by-the-clock'
    return (
        f"# The pipeline {package}. ~/pipelines/{package} is its bundle, or a link to that. Times are UTC.\n"
        f"{line if times else '# No line: it has no schedule by the clock.'}\n"
    )


def _times(schedule: ScheduleSpec) -> str:
    """Return the five fields in UTC; "" for a schedule that is not by the clock."""
    if schedule.every_seconds:
        return _interval(schedule.every_seconds)
    if not schedule.cron:
        return ""
    check(schedule.cron)
    if zone(schedule.timezone).key not in ("UTC", "Etc/UTC"):
        return in_utc(schedule, "cron")
    cron = parse(schedule.cron)
    text = schedule.cron.strip().lower()
    # What begins with a star stays as it is: with it a day has to match both fields, else either.
    parts = MACROS.get(text, text).split()
    meant = (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays)
    return " ".join(
        part if part.startswith("*") else ",".join(map(str, numbers))
        for part, numbers in zip(parts, meant, strict=True)
    )


def _interval(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if not rest and 60 % minutes == 0:
        return f"*/{minutes} * * * *" if minutes < 60 else "0 * * * *"
    if seconds % 3600 == 0 and 24 % (seconds // 3600) == 0:
        return f"0 */{seconds // 3600} * * *" if seconds < 86400 else "0 0 * * *"
    raise UserError(
        f"cron cannot run every {seconds} s: take whole minutes that divide an hour, or whole hours that divide a day"
    )


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to a machine with cron."""
    package = plan.package
    return f"""\
On a machine whose clock is UTC (elsewhere the line refuses to run, and says so), as the user who is to run it:

```sh
python{plan.environment.python} -m venv .venv && .venv/bin/python -m pip install -r requirements.lock
mkdir -p ~/pipelines && ln -sfn "$PWD" ~/pipelines/{package}
{keeping(package, plan.secrets)}crontab -n cron/crontab
{{ crontab -l 2>/dev/null | grep -v 'pipelines/{package}[/ ]'; cat cron/crontab; }} | crontab -
```

A run by hand: `sh cron/run.sh`, with `-p NAME=VALUE` for a parameter; the line takes the same words, a percent sign in
them as `\\%`. What it prints is in `cron/log.txt`; what goes wrong, cron mails too.
"""
