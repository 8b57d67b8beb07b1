"""Jenkins: a declarative `Jenkinsfile` in which each step is a stage, those that wait for the same side by side.

All stages share one workspace, so a stage for each step costs nothing and shows what failed; the store stays there, and
the next build takes from it what did not change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import union
from mlops_jupyter.services.cron.dst import check_steady
from mlops_jupyter.services.cron.ticks import zone
from mlops_jupyter.services.export.emit import single_job
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.targets import Feature

name = "jenkins"
title = "Jenkins"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.AFTER,
        Feature.RETRIES,
        Feature.TIMEOUT,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

RUN = '"jenkins-$BUILD_NUMBER"'


def render(plan: Plan) -> Mapping[str, str]:
    """Return the Jenkinsfile. Values of the plan are texts in single quotes, in which Groovy interpolates nothing.

    Raises
    ------
    UserError
        A name is no identifier, or Jenkins cannot fire when the schedule says.
    """
    identifier(plan.package, "package")
    blocks = [
        "    agent any",
        *_block("options", ["disableConcurrentBuilds()", f"timeout(time: {_minutes(plan)}, unit: 'MINUTES')"]),
        *_block("triggers", _triggers(plan.schedule)),
        *_block("parameters", [_parameter(each, line) for each, line in single_job.settable(plan)]),
        *_block("environment", [f"{secret} = credentials({text(secret)})" for secret in plan.secrets]),
        *_block("stages", [*_environment(plan), *_stages(plan)]),
        *_block("post", list(_post(plan))),
    ]
    command = f'PYTHONPATH="$PWD/src" .venv/bin/python -m {plan.package} step '
    lines = [
        "// Runs the pipeline on time and by hand, each step in a stage of its own.",
        "def task(String name) {",
        f"    sh {text(command)} + name + {text(_words(plan))}",
        "}",
        "",
        "pipeline {",
        *blocks,
        "}",
    ]
    return {"Jenkinsfile": "\n".join(lines) + "\n"}


def text(value: str) -> str:
    """Return the literal of Groovy for a text of one line. Nothing in it is interpolated, an escape, or able to end it.

    Examples
    --------
    >>> print(text("it's $HOME"))
    'it\\'s $HOME'
    """
    if not value.isprintable():  # cannot happen; if it does, the file must not be written
        raise AssertionError(f"{value!r} is not one line")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _block(name: str, lines: list[str]) -> list[str]:
    return [f"    {name} {{", *(f"        {line}" for line in lines), "    }"] if lines else []


def _minutes(plan: Plan) -> int:
    return single_job.minutes(plan) + single_job.SPARE_MINUTES


def _triggers(schedule: ScheduleSpec | None) -> list[str]:
    if schedule and schedule.cron:
        check_steady(schedule, title)
        lines = "\\n".join([f"TZ={zone(schedule.timezone).key}", *union(schedule)])  # letters and digits alone
        return [f"cron('{lines}')"]
    if schedule and schedule.after:
        before = text(identifier(schedule.after, "pipeline"))
        return [f"upstream(upstreamProjects: {before}, threshold: hudson.model.Result.SUCCESS)"]
    return []


def _parameter(parameter: Parameter, line: str) -> str:
    variable = text(single_job.variable(parameter.name))
    if isinstance(parameter.default, bool):
        return f"booleanParam(name: {variable}, defaultValue: {line})"
    kind = "'a text as it is, or JSON'" if isinstance(parameter.default, str) else "'JSON'"
    return f"string(name: {variable}, defaultValue: {text(line)}, description: {kind})"


def _words(plan: Plan) -> str:
    """Return the arguments after a step's name. The first build of a job knows no parameters, so it passes none."""
    named = ((each.name, single_job.variable(each.name)) for each, _ in single_job.settable(plan))
    given = "".join(f' ${{{variable}+-p "{name}=${variable}"}}' for name, variable in named)
    return f" --store out --run {RUN}{given}"


def _environment(plan: Plan) -> list[str]:
    python = f"python{plan.environment.python}"
    make = f"{python} -m venv .venv && .venv/bin/python -m pip install --quiet -r requirements.lock"
    return _stage("requirements", [f"sh {text(make)}"])


def _stages(plan: Plan) -> Iterator[str]:
    for steps in _levels(plan):
        stages = [line for step in steps for line in _stage(identifier(step.name, "step"), [_task(step)])]
        if len(steps) == 1:
            yield from stages
        else:
            yield f"stage({text(' and '.join(step.name for step in steps))}) {{"
            yield "    parallel {"
            yield from (f"        {line}" for line in stages)
            yield from ("    }", "}")


def _stage(name: str, lines: list[str]) -> list[str]:
    return [f"stage({text(name)}) {{", "    steps {", *(f"        {line}" for line in lines), "    }", "}"]


def _task(step: PlanStep) -> str:
    call = f"task({text(step.name)})"
    return f"retry({step.resources.retries + 1}) {{ {call} }}" if step.resources.retries else call


def _levels(plan: Plan) -> list[list[PlanStep]]:
    """Return the steps in rows: each waits only for steps of the rows above its own."""
    depth: dict[str, int] = {}
    for step in plan.steps:
        depth[step.name] = max((depth[name] + 1 for name in step.upstream), default=0)
    return [[step for step in plan.steps if depth[step.name] == row] for row in sorted(set(depth.values()))]


def _post(plan: Plan) -> Iterator[str]:
    if plan.alert:
        command = f"PYTHONPATH=src .venv/bin/python -m {plan.package} alert --store out --run {RUN} --to {plan.alert}"
        yield f"unsuccessful {{ sh {text(command)} }}"
    yield 'always { archiveArtifacts artifacts: "out/jenkins-${env.BUILD_NUMBER}/**", allowEmptyArchive: true }'


def deploy(plan: Plan) -> str:
    """Return how to bring the bundle to Jenkins."""
    package = plan.package
    secrets = ""
    if plan.secrets:
        named = ", ".join(f"`{secret}`" for secret in plan.secrets)
        secrets = f"\nAdd a credential of the kind *Secret text* with the id of each: {named}.\n"
    return f"""\
Put the bundle into a repository of its own and make a job for its `Jenkinsfile` (New Item, Pipeline, *Pipeline script
from SCM*), named `{package}`. Its agent needs Python {plan.environment.python}; no plugin is needed beside those that
Jenkins suggests.

```sh
git init && git add . && git commit -m "The pipeline {package}"
git push "$REPOSITORY" HEAD:main
java -jar jenkins-cli.jar -s "$JENKINS_URL" build {package} -s
```
{secrets}
Jenkins learns the parameters and the schedule of a job in its first build.
{single_job.unsettable(plan, "Jenkins")}"""
