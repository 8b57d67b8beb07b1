"""DVC: `dvc.yaml` with a stage for each step, `params.json`, and `dvc_stage.py`, by which a stage runs its step.

DVC itself keeps what a step made, so `dvc push`, `dvc pull` and its run cache work as they do in any project.
Parameters are in JSON, not in YAML, in which a text such as `no` or `1e3` would be taken for something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_jupyter.core.plan import INITIAL, Parameter, Plan, PlanStep
from mlops_jupyter.runtime.hashing import stage_version
from mlops_jupyter.runtime.hidden.registry import initial_file
from mlops_jupyter.services.export.emit.backoff import pauses
from mlops_jupyter.services.export.emit.parameters import in_json, unsettable
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.emit.templates import fill
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "dvc"
title = "DVC 3"
expresses = frozenset(
    {Feature.STEPS, Feature.PARAMETERS, Feature.RETRIES, Feature.BACKOFF, Feature.TIMEOUT, Feature.ALERT}
)

PARAMS = "params.json"
SHOWS = re.compile(r"\b(show|display)\(")
"""Pattern in the source of a step that displays something."""


def render(plan: Plan) -> Mapping[str, str]:
    """Return the stages, the parameters and the program that runs a stage.

    Raises
    ------
    UserError
        A name is no identifier.
    """
    identifier(plan.package, "package")
    stages = {identifier(step.name, "step"): _stage(plan, step) for step in plan.steps}
    files = {"dvc.yaml": documents({"stages": stages}), "dvc_stage.py": fill(__package__, "stage.txt", {})}
    settable = {identifier(p.name, "parameter"): p.default for p in plan.parameters if held(p)}
    return files | ({PARAMS: json.dumps(settable, indent=1) + "\n"} if plan.parameters else {})


def held(parameter: Parameter) -> bool:
    """Return whether params.json gives the default back unchanged, also after `--set-param`, which fills in `${...}`.

    Otherwise the parameter keeps the pipeline's own default and cannot be set from DVC.
    """
    text = in_json(parameter.default)
    return bool(text) and "${" not in text


def _stage(plan: Plan, step: PlanStep) -> dict[str, Any]:
    parameters = [p.name for p in _taken(plan, step) if held(p)]
    metrics = list(_numbers(plan, step))
    shows = bool(SHOWS.search(step.module))
    words = ["python3", "dvc_stage.py", plan.package, step.name, "--version", _version(plan, step)]
    words += [word for upstream in step.upstream for word in ("--after", upstream)]
    words += [word for parameter in parameters for word in ("--parameter", parameter)]
    words += [word for pause in pauses(step.resources) for word in ("--pause", pause)]
    words += [word for metric in metrics for word in ("--metric", metric)]
    words += ["--plots"] if shows else []
    words += ["--alert", identifier(plan.alert, "secret")] if plan.alert else []
    stage: dict[str, Any] = {"cmd": " ".join(words), "deps": [dep.replace("${", "\\${") for dep in _deps(plan, step)]}
    stage |= {"params": [{PARAMS: parameters}]} if parameters else {}
    stage |= {"outs": [f"artifacts/{step.name}"]}
    stage |= {"metrics": [{f"metrics/{step.name}.json": {"cache": False}}]} if metrics else {}
    stage |= {"plots": [f"plots/{step.name}"]} if shows else {}
    return stage | ({"always_changed": True} if step.always or (step.volatile and not step.cache) else {})


def _taken(plan: Plan, step: PlanStep) -> list[Parameter]:
    return [parameter for parameter in plan.parameters if parameter.name in step.parameters]


def _version(plan: Plan, step: PlanStep) -> str:
    """Return a digest of what no file holds: inputs, outputs and environment of a step, defaults not in params.json."""
    unheld = [(p.name, repr(p.default)) for p in _taken(plan, step) if not held(p)]
    around = sorted(plan.environment.variables.items())
    facts = (step.version, sorted(step.inputs.items()), step.outputs, around, unheld)
    return stage_version(facts)


def _deps(plan: Plan, step: PlanStep) -> Iterator[str]:
    """Yield the paths whose change can change a step's result: sources, packages, first values, artifacts before it."""
    package = f"src/{plan.package}"
    yield f"{package}/steps/{step.name}.py"
    if plan.environment.lock or plan.environment.requirements:  # DVC warns of empty files
        yield "requirements.lock"
    yield from (path for path in sorted(plan.files) if path.startswith(f"{package}/") and path.endswith(".py"))
    index = json.loads(plan.files.get(f"{package}/initial/files.json", b"{}"))
    for variable, maker in step.inputs.items():
        carried = f"{package}/initial/{initial_file(variable, plan.folder)}"
        if maker == INITIAL and carried in plan.files:
            yield carried
        elif maker == INITIAL and (at := index.get(variable.partition(":")[2], {}).get("at")):
            yield at
    yield from (f"artifacts/{upstream}" for upstream in step.upstream)


def _numbers(plan: Plan, step: PlanStep) -> Iterator[str]:
    """Yield the delivered variables of a step that were numbers in the notebook."""
    for expected in plan.expected:
        if plan.outputs.get(expected.name) == step.name and expected.format == "json":
            value = json.loads(expected.json or plan.files.get(f"tests/expected/{expected.file}", b"null"))
            if type(value) in (int, float):
                yield expected.name


def deploy(plan: Plan) -> str:
    """Return how to run the pipeline with DVC."""
    parameter = next((p.name for p in plan.parameters if type(p.default) in (int, float)), "")
    changed = f"dvc exp run --set-param {PARAMS}:{parameter}=3\n" if parameter else ""
    alert = f" A stage that fails says so to the web address in `{plan.alert}`." if plan.alert else ""
    return f"""\
Each step of `{plan.package}` is a stage; parameters stand in `{PARAMS}`.{alert}

```sh
git init && dvc init && git add . && git commit --message 'The pipeline'
python{plan.environment.python} -m venv .venv && .venv/bin/python -m pip install -r requirements.lock
dvc repro
{changed}dvc metrics show
python3 dvc_stage.py {plan.package} --gather out
PYTHONPATH=src .venv/bin/python -m {plan.package} check --store out --run dvc
```

A changed notebook: `mlops-jupyter export NOTEBOOK --output . --update` changes only the files that differ, and leaves
`.git` and `.dvc` alone.
{unsettable(plan, title, held)}"""
