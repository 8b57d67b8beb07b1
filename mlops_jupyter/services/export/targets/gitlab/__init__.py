"""GitLab CI: `.gitlab-ci.yml`, one job that runs the pipeline, one that proves it, one that says when it failed.

One job for all steps, not one for each: each would start a container of its own, install the requirements again and
carry the store through artifacts. When it runs is not a matter of the file but of GitLab's API, see `deploy`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.plan import Parameter, Plan, ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import check_gap, spelled
from mlops_jupyter.services.cron.dst import check_steady
from mlops_jupyter.services.export.emit import single_job
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "gitlab"
title = "GitLab CI"
expresses = frozenset(
    {
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

LEAST_MINUTES = 10
"""Minutes between two looks at the clock of a GitLab of one's own, unless it is configured to look more often."""

ASKED = "$CI_PIPELINE_SOURCE =~ /^(schedule|web|api|trigger|pipeline)$/"
MERGED = '$CI_PIPELINE_SOURCE == "merge_request_event"'
WHERE = "the CI/CD variables of the project"
RUN = "gitlab-$CI_PIPELINE_ID"


def render(plan: Plan) -> Mapping[str, str]:
    """Return the file. Values of the plan are defaults of variables or not there at all; none is part of a script.

    Raises
    ------
    UserError
        A name is no identifier, or GitLab cannot fire when the schedule says.
    """
    package = identifier(plan.package, "package")
    for step in plan.steps:
        identifier(step.name, "step")
    if plan.schedule and plan.schedule.cron:
        _cron(plan.schedule)
    settable = single_job.settable(plan)
    variables = {single_job.variable(parameter.name): _variable(parameter, line) for parameter, line in settable}
    file = {
        "variables": {"BUNDLE": ".", **variables},
        f"{package} run": _run(plan),
        f"{package} reproduces": _reproduces(plan),
        **({f"{package} alert": _alert(plan)} if plan.alert else {}),
    }
    head = "# Runs the pipeline on time and by hand, and proves it in each merge request.\n"
    head += "# BUNDLE is the bundle's folder in the repository.\n"
    return {".gitlab-ci.yml": head + documents(file)}


def _cron(schedule: ScheduleSpec) -> str:
    check_steady(schedule, title)
    check_gap(schedule, LEAST_MINUTES, title)
    return spelled(schedule, title)


def _variable(parameter: Parameter, line: str) -> dict[str, Any]:
    if isinstance(parameter.default, bool):
        return {"value": line, "options": ["true", "false"], "description": parameter.name}
    kind = "a text as it is, or JSON" if isinstance(parameter.default, str) else "JSON"
    return {"value": line, "description": f"{parameter.name}: {kind}", "expand": False}


def _run(plan: Plan) -> dict[str, Any]:
    command = f'PYTHONPATH="$PWD/src" python -m {plan.package} run --store out --run {RUN}{single_job.given(plan)}\n'
    store = {"key": f"{plan.package}-store", "paths": ["$BUNDLE/out/objects", "$BUNDLE/out/cache"], "when": "always"}
    return {
        "stage": "test",
        "rules": [{"if": ASKED}],
        "resource_group": plan.package,
        **_environment(plan, store),
        "script": [_script(single_job.guards(plan.secrets, WHERE), INSTALL, command)],
        # Also after a failure: what is known by then is not done again.
        "artifacts": {"name": RUN, "paths": [f"$BUNDLE/out/{RUN}"], "when": "always"},
    }


def _reproduces(plan: Plan) -> dict[str, Any]:
    secrets = [secret for secret in plan.secrets if secret != plan.alert]
    test = "python -m pip install --quiet pytest\npython -m pytest tests/test_reproduces.py\n"
    return {
        "stage": "test",
        "rules": [{"if": MERGED}],
        **_environment(plan),
        "script": [_script(single_job.guards(secrets, WHERE), INSTALL, test)],
    }


def _alert(plan: Plan) -> dict[str, Any]:
    """Return the job that sends an alert: apart from the other job, it also runs if that ran out of time."""
    command = f"PYTHONPATH=src python -m {plan.package} alert --store out --run {RUN} --to {plan.alert}\n"
    return {
        "stage": ".post",
        "rules": [{"if": ASKED, "when": "on_failure"}],
        "image": _image(plan),
        "dependencies": [f"{plan.package} run"],
        "script": [_script(command)],
    }


INSTALL = "python -m pip install --quiet -r requirements.lock\n"


def _script(*parts: str) -> str:
    # One command of several lines: GitLab would go on after some that fail within one, hence `set -e`.
    return "".join(['set -e\ncd "$BUNDLE"\n', *parts])


def _environment(plan: Plan, *caches: dict[str, Any]) -> dict[str, Any]:
    pip = {"key": f"{plan.package}-pip", "paths": [".cache/pip"]}
    return {
        "image": _image(plan),
        "timeout": f"{single_job.minutes(plan) + single_job.SPARE_MINUTES} minutes",
        "retry": {"max": 1, "when": ["runner_system_failure"]},  # a step's own retries are made by the bundle
        "variables": {"PIP_CACHE_DIR": "$CI_PROJECT_DIR/.cache/pip"},
        "cache": [pip, *caches],
    }


def _image(plan: Plan) -> str:
    return f"python:{plan.environment.python}-slim"


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to GitLab, with the calls of its API that no file can replace."""
    api = '--fail --header "PRIVATE-TOKEN: $TOKEN"'
    project = f'"$GITLAB/api/v4/projects/$GROUP%2F{plan.package}'
    secrets = "".join(
        f'curl {api} {project}/variables" --data key={secret} --data masked=true --data-urlencode "value=${secret}"\n'
        for secret in plan.secrets
    )
    schedule = ""
    if plan.schedule and plan.schedule.cron:
        zone = shlex.quote(f"cron_timezone={plan.schedule.timezone}")
        cron = shlex.quote(f"cron={_cron(plan.schedule)}")
        schedule = (
            f'curl {api} {project}/pipeline_schedules" --data description={plan.package} --data ref=main \\\n'
            f"  --data-urlencode {cron} --data-urlencode {zone}\n"
        )
    first = next(iter(single_job.settable(plan)), None)
    given = ""
    if first:
        facts = f"variables[][key]={single_job.variable(first[0].name)}", f"variables[][value]={first[1]}"
        given = " \\\n  " + " ".join(f"--data-urlencode {shlex.quote(fact)}" for fact in facts)
    return f"""\
The bundle is a project of its own. (In a folder of another one: `include` the file there, with the folder's name as the
variable `BUNDLE`.) `TOKEN` is one of yours with the scope `api`.

```sh
export GITLAB=https://gitlab.com GROUP=our-group
git init -b main && git add . && git commit -m "The pipeline {plan.package}"
git push "$GITLAB/$GROUP/{plan.package}.git" main
```

```sh
{secrets}{schedule}curl {api} {project}/pipeline?ref=main" --request POST{given}
```

A merge request is held against the notebook's values. In "Run pipeline" type `$` as `$$`: GitLab puts variables in.
{single_job.unsettable(plan, "GitLab")}"""
