"""A plan as a pipeline of Kubeflow's (IR YAML, schema 2.1): what Kubeflow and Vertex AI run.

Each step is a component whose container runs the bundle's own image. What a run may set comes to it as JSON, in the
"executor input" that Kubeflow fills in, so that no text is ever read as anything but a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources
from mlops_jupyter.services.export.emit.dns_labels import label, labels
from mlops_jupyter.services.export.emit.parameters import in_json
from mlops_jupyter.services.export.emit.python import identifier

TYPES = {bool: "BOOLEAN", int: "NUMBER_INTEGER", float: "NUMBER_DOUBLE", str: "STRING", list: "LIST", dict: "STRUCT"}

WHOLE = 2**53
"""The largest integer that a parameter may hold: Kubeflow keeps numbers as floats, which are exact up to here."""

OURS = {
    "store-uri": ("where runs and artifacts are kept: a folder that all tasks share, or an fsspec address", None),
    "data-folder": ("a folder with newer data files; empty: the copies in the image are read", ""),
}
"""Inputs beside the notebook's parameters (whose names have no hyphens) -> description and default."""

RUN = {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
START = """\
# The image needs no kfp: kfp.dsl.executor_main is named since kfp's local runner takes commands with that name alone.
import sys

sys.path.insert(0, "src")  # beside the working folder's, which is the bundle's, here as in the image
"""
LONGEST_PAUSE = "86400s"
"""The longest pause between two tries: Kubeflow allows a day."""


def task(plan: Plan) -> dict[str, str]:
    """Return path -> text of the module that the tasks' containers start."""
    text = resources.files(__package__).joinpath("task.txt").read_text(encoding="utf-8")
    return {f"src/{identifier(plan.package, 'package')}/kfp_task.py": text}


def image(plan: Plan) -> str:
    """Return the name of the bundle's image, which stands in the pipeline until a person writes its address there."""
    return f"{label(plan.package)}:latest"


def settable(parameter: Parameter) -> bool:
    """Return whether a parameter goes through Kubeflow unchanged; another keeps the pipeline's own default.

    These do not: NaN and infinities, keys that are no text, integers beyond 2**53, half characters, and text that
    Kubeflow would fill in (``{{$``).
    """
    if not in_json(parameter.default):
        return False
    text = json.dumps(parameter.default, ensure_ascii=False)
    whole = all(abs(number) <= WHOLE for number in _integers(parameter.default))
    return whole and "{{$" not in text and not re.search("[\ud800-\udfff]", text)


def _integers(value: object) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _integers(part)


def pipeline(plan: Plan, store: str, accelerator: str = "") -> dict[str, Any]:
    """Return the PipelineSpec of a plan.

    Parameters
    ----------
    store : the default of `store-uri`.
    accelerator : the resource type of a gpu; "" leaves gpus out, for systems that need more than a number of them.
    """
    package = identifier(plan.package, "package")
    names = labels(identifier(step.name, "step") for step in plan.steps)
    inputs = _inputs(plan, store)
    tasks = {names[step.name]: _task(step, names, inputs) for step in plan.steps}
    typed = {name: {"parameterType": facts["parameterType"]} for name, facts in inputs.items()}
    components: dict[str, Any] = {
        f"comp-{names[step.name]}": _component(names[step.name], {**typed, "run-id": {"parameterType": "STRING"}})
        for step in plan.steps
    }
    executors = {
        f"exec-{names[step.name]}": _executor(plan, "step", step.name, step.resources, accelerator)
        for step in plan.steps
    }
    if plan.alert:
        whole, alert = _apart("pipeline", tasks), _apart("alert", tasks)
        components[f"comp-{whole}"] = {"dag": {"tasks": tasks}, "inputDefinitions": {"parameters": typed}}
        alert_inputs = {"store-uri": typed["store-uri"], "run-id": {"parameterType": "STRING"}}
        status = {"status": {"parameterType": "TASK_FINAL_STATUS", "isOptional": True}}
        components[f"comp-{alert}"] = _component(alert, {**alert_inputs, **status})
        executors[f"exec-{alert}"] = _executor(plan, "alert", plan.alert, Resources(), accelerator)
        tasks = _with_alert(whole, alert, inputs)
    return {
        "pipelineInfo": {"name": label(package), "description": plan.name.encode(errors="replace").decode()},
        "root": {"dag": {"tasks": tasks}, "inputDefinitions": {"parameters": inputs}},
        "components": components,
        "deploymentSpec": {"executors": executors},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
    }


def _executor(plan: Plan, kind: str, name: str, wishes: Resources, accelerator: str) -> dict[str, Any]:
    container = {
        "image": image(plan),
        "command": ["python3", "-c", f"{START}from {plan.package}.kfp_task import main\n\nmain()\n"],
        "args": [kind, name, "{{$}}"],
        "resources": _resources(wishes, accelerator),
    }
    return {"container": {key: value for key, value in container.items() if value}}


def _apart(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "-2"
    return name


def _inputs(plan: Plan, store: str) -> dict[str, dict[str, Any]]:
    inputs = {identifier(p.name, "parameter"): _input(p) for p in plan.parameters if settable(p)}
    for name, (meaning, default) in OURS.items():
        value = store if default is None else default
        inputs[name] = {"parameterType": "STRING", "defaultValue": value, "isOptional": True, "description": meaning}
    return inputs


def _input(parameter: Parameter) -> dict[str, Any]:
    if parameter.default is None:  # Kubeflow has no type for any value
        return {
            "parameterType": "STRING",
            "defaultValue": "null",
            "isOptional": True,
            "description": "JSON: the notebook does not say its type",
        }
    return {"parameterType": TYPES[type(parameter.default)], "defaultValue": parameter.default, "isOptional": True}


def _task(step: PlanStep, names: Mapping[str, str], inputs: Mapping[str, Any]) -> dict[str, Any]:
    name = names[step.name]
    task: dict[str, Any] = {"taskInfo": {"name": name}, "componentRef": {"name": f"comp-{name}"}}
    if step.upstream:
        task["dependentTasks"] = sorted(names[before] for before in step.upstream)
    task["inputs"] = {"parameters": {**_handed(inputs), "run-id": RUN}}
    if step.resources.retries:
        task["retryPolicy"] = {
            "maxRetryCount": step.resources.retries,
            "backoffDuration": f"{step.resources.backoff_seconds or 0:g}s",
            "backoffFactor": 2.0,
            "backoffMaxDuration": LONGEST_PAUSE,
        }
    task["cachingOptions"] = {"enableCache": False}  # the pipeline's store keeps what steps made, by content
    return task


def _handed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"componentInputParameter": name} for name in inputs}


def _component(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"executorLabel": f"exec-{name}", "inputDefinitions": {"parameters": dict(parameters)}}


def _with_alert(whole: str, alert: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the two tasks of a pipeline with an exit handler: all steps as one, then the alert in any case."""
    return {
        whole: {
            "taskInfo": {"name": whole},
            "componentRef": {"name": f"comp-{whole}"},
            "inputs": {"parameters": _handed(inputs)},
        },
        alert: {
            "taskInfo": {"name": alert},
            "componentRef": {"name": f"comp-{alert}"},
            "dependentTasks": [whole],
            "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
            "inputs": {
                "parameters": {
                    **_handed({"store-uri": None}),
                    "run-id": RUN,
                    "status": {"taskFinalStatus": {"producerTask": whole}},
                }
            },
            "cachingOptions": {"enableCache": False},
        },
    }


def _resources(wishes: Resources, accelerator: str) -> dict[str, Any]:
    """Return a step's resources twice: as numbers for older versions of Kubeflow, as quantities for newer ones."""
    settings: dict[str, Any] = {}
    if wishes.cpu:
        for kind in ("Limit", "Request"):
            settings |= {f"cpu{kind}": float(wishes.cpu), f"resourceCpu{kind}": f"{wishes.cpu:g}"}
    if wishes.memory_bytes:
        for kind in ("Limit", "Request"):
            settings |= {f"memory{kind}": wishes.memory_bytes / 1e9, f"resourceMemory{kind}": str(wishes.memory_bytes)}
    if wishes.gpu and accelerator:
        count = str(wishes.gpu)
        settings["accelerator"] = {
            "type": accelerator, "count": count, "resourceType": accelerator, "resourceCount": count,
        }  # fmt: skip
    return settings
