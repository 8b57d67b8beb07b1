"""GitHub Actions: `.github/workflows/<package>.yml`, one job that runs the pipeline and one that proves it.

One job, not one for each step: each would take a machine of its own, install the requirements again and carry the store
through artifacts. In one job the bundle itself runs steps side by side, tries them again after its pauses, ends those
that take too long, and takes from the cached store what did not change.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import check_gap, spelled
from mlops_jupyter.services.cron.dst import check_steady
from mlops_jupyter.services.export.emit import single_job
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "github"
title = "GitHub Actions"
expresses = frozenset(
    {
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.AFTER,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

MOST_INPUTS = 25
LEAST_MINUTES = 5
NUMBER = re.compile(r"(?!-0\b)-?\d{1,9}(\.\d{1,6})?")
"""Numbers that GitHub, which holds them as floats, gives back as they were."""

OURS = "${{ github.event_name != 'pull_request' }}"
"""The condition under which the pipeline runs: on every event but a pull request, which only verifies it."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the workflow. Values of the plan are inputs' defaults or not there at all; none is part of a script.

    Raises
    ------
    UserError
        A name is no identifier, a secret has a name of GitHub's own, or GitHub cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    for step in plan.steps:
        identifier(step.name, "step")
    _check(plan.secrets)
    workflow = {
        "name": package,
        "on": _triggers(plan),
        "permissions": {"contents": "read"},
        "env": {"BUNDLE": "."},
        "jobs": {"run": _run(plan), "reproduces": _reproduces(plan)},
    }
    head = "# Runs the pipeline on time and by hand, and proves it in each pull request.\n"
    head += "# BUNDLE is the bundle's folder in the repository.\n"
    return {f".github/workflows/{package}.yml": head + documents(workflow)}


def _check(secrets: tuple[str, ...]) -> None:
    for secret in secrets:
        if secret.upper().startswith("GITHUB_") and secret != "GITHUB_TOKEN":
            raise UserError(f"secret {secret!r}: GitHub keeps names with GITHUB_ for itself: give it another name")
        if any(secret != other and secret.upper() == other.upper() for other in secrets):
            raise UserError(f"secret {secret!r}: GitHub takes upper and lower case for the same: give it another name")


def _triggers(plan: Plan) -> dict[str, Any]:
    triggers: dict[str, Any] = {}
    if plan.schedule and plan.schedule.cron:
        triggers["schedule"] = [_cron(plan.schedule)]
    if plan.schedule and plan.schedule.after:
        before = identifier(plan.schedule.after, "pipeline")
        triggers["workflow_run"] = {"workflows": [before], "types": ["completed"]}
    settable = single_job.settable(plan, MOST_INPUTS)
    inputs = {parameter.name: _input(parameter, line) for parameter, line in settable}
    triggers["workflow_dispatch"] = {"inputs": inputs} if inputs else {}
    triggers["pull_request"] = {}
    return triggers


def _cron(schedule: ScheduleSpec) -> dict[str, str]:
    check_steady(schedule, title)
    check_gap(schedule, LEAST_MINUTES, title)
    zone = {"timezone": schedule.timezone} if schedule.timezone != "UTC" else {}
    return {"cron": spelled(schedule, title), **zone}


def _input(parameter: Parameter, line: str) -> dict[str, Any]:
    if isinstance(parameter.default, bool):
        return {"type": "boolean", "default": parameter.default}
    if _number(parameter, line):
        return {"type": "number", "default": parameter.default}
    return {"type": "string", "default": line, "description": "a text as it is, or JSON"}


def _number(parameter: Parameter, line: str) -> bool:
    return isinstance(parameter.default, int | float) and NUMBER.fullmatch(line) is not None


def _run(plan: Plan) -> dict[str, Any]:
    package, minutes = plan.package, single_job.minutes(plan)
    store = "${{ env.BUNDLE }}/out"
    cached = {"path": f"{store}/objects\n{store}/cache\n", "key": f"{package}-store-${{{{ env.RUN }}}}"}
    condition = OURS
    if plan.schedule and plan.schedule.after:
        condition = (
            "${{ github.event_name == 'workflow_run' && github.event.workflow_run.conclusion == 'success' "
            "&& github.event.workflow_run.event != 'pull_request' "
            "|| github.event_name == 'schedule' || github.event_name == 'workflow_dispatch' }}"
        )
    values = {**_values(plan), **_secrets(plan.secrets)}
    steps: list[dict[str, Any]] = [
        *_environment(plan),
        {"uses": "actions/cache/restore@v5", "with": {**cached, "restore-keys": f"{package}-store-"}},
        {
            "name": "Run the pipeline",
            "timeout-minutes": minutes,
            **({"env": values} if values else {}),
            "run": _script(plan),
        },
        # Also after a failure: the next run goes on from there.
        {"if": "${{ !cancelled() }}", "uses": "actions/cache/save@v5", "with": cached},
        {
            "if": "${{ !cancelled() }}",
            "uses": "actions/upload-artifact@v6",
            "with": {"name": "${{ env.RUN }}", "path": f"{store}/${{{{ env.RUN }}}}"},
        },
    ]
    if plan.alert:
        steps.append(
            {
                "name": "Say that it failed",
                "if": "${{ failure() }}",
                "env": _secrets([plan.alert]),
                "run": f'PYTHONPATH=src python3 -m {package} alert --store out --run "$RUN" --to {plan.alert}\n',
            }
        )
    return {
        "if": condition,
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": minutes + single_job.SPARE_MINUTES,
        "concurrency": {"group": package, "cancel-in-progress": False},
        "env": {"RUN": "github-${{ github.run_id }}-${{ github.run_attempt }}"},
        "defaults": _defaults(),
        "steps": steps,
    }


def _reproduces(plan: Plan) -> dict[str, Any]:
    secrets = [secret for secret in plan.secrets if secret != plan.alert]
    test = {
        "name": "Compare with the notebook's values",
        **({"env": _secrets(secrets)} if secrets else {}),
        "run": f"{single_job.guards(secrets, GUARD)}python -m pytest tests/test_reproduces.py\n",
    }
    return {
        "if": "${{ github.event_name == 'pull_request' }}",
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": single_job.minutes(plan) + single_job.SPARE_MINUTES,
        "defaults": _defaults(),
        "steps": [*_environment(plan, "pytest"), test],
    }


GUARD = "the secrets of the repository (pull requests of forks get none)"


def _defaults() -> dict[str, Any]:
    return {"run": {"shell": "bash", "working-directory": "${{ env.BUNDLE }}"}}


def _environment(plan: Plan, *more: str) -> list[dict[str, Any]]:
    """Return the steps that check the bundle out and set up an interpreter with the requirements."""
    lock = "${{ env.BUNDLE }}/requirements.lock"
    setup = {"python-version": plan.environment.python, "cache": "pip", "cache-dependency-path": lock}
    packages = " ".join(["-r requirements.lock", *more])
    return [
        {"uses": "actions/checkout@v6", "with": {"persist-credentials": False}},
        {"uses": "actions/setup-python@v6", "with": setup},
        {"name": "Install the requirements", "run": f"python -m pip install --quiet {packages}\n"},
    ]


def _values(plan: Plan) -> dict[str, str]:
    """Return the form's values as environment variables: put into the script, they would be a part of its code."""
    variables = {}
    for parameter, line in single_job.settable(plan, MOST_INPUTS):
        # The event has a number as it was typed; `inputs` may have rounded it.
        typed = f"github.event.inputs.{parameter.name} || " if _number(parameter, line) else ""
        variables[single_job.variable(parameter.name)] = f"${{{{ {typed}inputs.{parameter.name} }}}}"
    return variables


def _secrets(names: Iterable[str]) -> dict[str, str]:
    return {name: f"${{{{ secrets.{name} }}}}" for name in names}


def _script(plan: Plan) -> str:
    words = single_job.given(plan, MOST_INPUTS).replace("\n", "\n  ")
    form = f'if [ "$GITHUB_EVENT_NAME" = workflow_dispatch ]; then\n  set --{words}\nfi\n' if words else ""
    command = f'PYTHONPATH="$PWD/src" python -m {plan.package} run --store out --run "$RUN" "$@"\n'
    return single_job.guards(plan.secrets, GUARD) + form + command


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to GitHub."""
    package = plan.package
    secrets = "".join(f"gh secret set {secret}\n" for secret in plan.secrets)
    first = next(iter(single_job.settable(plan, MOST_INPUTS)), None)
    option = f" -f {first[0].name}={shlex.quote(first[1])}" if first else ""
    late = ""
    if plan.schedule and plan.schedule.cron:
        late = (
            "\nGitHub starts scheduled runs some minutes late when it is busy, only from the default branch, and not "
            "in a public\nrepository in which nothing happened for 60 days.\n"
        )
    return f"""\
The bundle is a repository of its own. (In a folder of another one: move the workflow to `.github/workflows/` of that,
and write the folder's name into its line `BUNDLE`.)

```sh
git init && git add . && git commit -m "The pipeline {package}"
gh repo create {package} --private --source . --push
{secrets}gh workflow run {package}.yml{option}
gh run watch
gh run download
```

A pull request is held against the notebook's values. The store is kept in GitHub's cache, which drops what is old.
One run is under way at a time and one waits; where a third comes, GitHub cancels the one that waits.
{late}{single_job.unsettable(plan, "GitHub", MOST_INPUTS)}"""
