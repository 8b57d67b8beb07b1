"""Render a plan as the files of a bundle, as pure text and bytes. Here are the files that all targets share."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from mlops_jupyter.core.plan import ExpectedValue, Plan
from mlops_jupyter.runtime.model import pipeline
from mlops_jupyter.runtime.model.source_digest import SourceDigests
from mlops_jupyter.services.export import readme, runtime_files
from mlops_jupyter.services.export.bundle.create import BundleFiles
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.pipeline.steps.formatting import LINE_LENGTH, format_all

USES = ("tracking", "tracking.gates", "drift", "step.scripts", "step.captured", "step.ipython")
"""Modules of the runtime that only some steps import."""

STEPS = '"""One module a step."""\n'
"""The text of `steps/__init__.py`."""


def render(plan: Plan, targets: Iterable[Any] = ()) -> BundleFiles:
    """Return every file of the bundle.

    Parameters
    ----------
    targets : as `targets.find` returns them; each adds its files to the bundle, and may add a section to the README.
    """
    chosen = list(targets)
    package = f"src/{plan.package}"
    code = {
        f"{package}/__init__.py": f'"""{_line(plan.name)}: a pipeline made from a notebook."""\n',
        f"{package}/__main__.py": _main(plan),
        f"{package}/pipeline.py": _pipeline(plan),
        f"{package}/steps/__init__.py": STEPS,
        "tests/test_reproduces.py": _test(plan),
    }
    texts = format_all(code, plan.package)
    texts |= {f"{package}/steps/{step.name}.py": step.module for step in plan.steps}
    texts |= {
        "pipeline.yaml": _yaml(plan),
        "pyproject.toml": _pyproject(plan),
        "requirements.lock": plan.environment.lock or "".join(f"{r}\n" for r in plan.environment.requirements),
        "Dockerfile": readme.dockerfile(plan),
        ".dockerignore": readme.IGNORED,
        "README.md": readme.readme(plan, chosen),
        ".gitignore": "out/\n.env\n.venv/\n__pycache__/\n",
        "tests/expected/expected.json": _expected(plan),
    }
    used = [room for room in USES if any(f".runtime.{room} import" in s.module for s in plan.steps)]
    runtime = {f"{package}/runtime/{path}": data for path, data in runtime_files.files(used).items()}
    for target in chosen:
        texts |= target.render(plan)
    return {**{path: text.encode() for path, text in texts.items()}, **runtime, **plan.files}


def _main(plan: Plan) -> str:
    return (
        f'"""Run the pipeline: `python -m {plan.package} run --store out`."""\n\n'
        "import sys\n\n"
        f"from {plan.package}.pipeline import PIPELINE\n"
        f"from {plan.package}.runtime.cli.main import main\n\n"
        'if __name__ == "__main__":\n    sys.exit(main(PIPELINE, sys.argv[1:]))\n'
    )


def _pipeline(plan: Plan) -> str:
    runtime_pipeline = as_pipeline(plan)
    calls = (", ".join(f"{name}={value!r}" for name, value in fields.items()) for fields in _step_fields(plan))
    steps = "".join(f"        Step({call}),\n" for call in calls)
    secrets = f"    secrets={runtime_pipeline.secrets!r},\n" if runtime_pipeline.secrets else ""
    folder = f"    folder={runtime_pipeline.folder!r},\n" if runtime_pipeline.folder else ""
    return (
        f'"""The pipeline {_line(plan.name)!r} as data: its steps and what flows between them."""\n\n'
        f"from {plan.package}.runtime.model.pipeline import Pipeline, Step\n\n"
        "PIPELINE = Pipeline(\n"
        f"    name={runtime_pipeline.name!r},\n"
        f"    package={runtime_pipeline.package!r},\n"
        f"    parameters={runtime_pipeline.parameters!r},\n"
        f"    steps=(\n{steps}    ),\n"
        f"    outputs={runtime_pipeline.outputs!r},\n"
        f"    environment={runtime_pipeline.environment!r},\n"
        f"{secrets}{folder}"
        ")\n"
    )


def as_pipeline(plan: Plan) -> pipeline.Pipeline:
    """Return the pipeline that the bundle's `pipeline.py` will hold."""
    return pipeline.Pipeline(
        name=plan.name,
        package=plan.package,
        steps=tuple(pipeline.Step(**fields) for fields in _step_fields(plan)),
        parameters={parameter.name: parameter.default for parameter in plan.parameters},
        outputs=dict(plan.outputs),
        environment=dict(plan.environment.variables),
        secrets=tuple(name for name in plan.secrets if name != plan.alert),  # no step needs the address of alerts
        folder=plan.folder,
    )


def step_files(plan: Plan) -> dict[str, bytes]:
    """Return path -> content of the files in the package's folder that hold the steps' code."""
    home = f"src/{plan.package}/"
    files = {path.removeprefix(home): data for path, data in plan.files.items() if path.startswith(home)}
    files |= {f"steps/{step.name}.py": step.module.encode() for step in plan.steps}
    return {**files, "steps/__init__.py": STEPS.encode()}


def _step_fields(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the keyword arguments of each `Step` of the runtime, without those that have their default value."""
    files = step_files(plan)
    sources = SourceDigests(plan.package, files, files.__getitem__)
    for step in plan.steps:
        fields: dict[str, Any] = {
            "name": step.name,
            "function": f"{plan.package}.steps.{step.name}:{step.name}",
            "version": step.version,
            "source": sources.of(f"steps/{step.name}.py"),
        }
        optional: dict[str, Any] = {
            "inputs": dict(step.inputs),
            "outputs": step.outputs,
            "parameters": step.parameters,
            "packages": step.imports,
            "retries": step.resources.retries,
            "backoff": step.resources.backoff_seconds,
            "timeout": step.resources.timeout_seconds,
            "always": step.always,
            "after": step.after,
            "volatile": step.volatile,
            "cache": step.cache,
            "cpu": step.resources.cpu,
            "memory": step.resources.memory_bytes,
            "gpu": step.resources.gpu,
        }
        yield fields | {name: value for name, value in optional.items() if value}


def _yaml(plan: Plan) -> str:
    schedule = plan.schedule
    facts = {
        "name": plan.name,
        "package": plan.package,
        "steps": [
            {
                "name": step.name,
                "version": step.version,
                "source": f"src/{plan.package}/steps/{step.name}.py",
                "inputs": dict(step.inputs),
                "outputs": [name for group in step.outputs for name in group],
                **({"shared": shared} if (shared := [list(g) for g in step.outputs if len(g) > 1]) else {}),
                "parameters": list(step.parameters),
                **({"after": list(step.after)} if step.after else {}),
                **({"volatile": list(step.volatile)} if step.volatile else {}),
                "packages": list(step.imports),
                "resources": {k: v for k, v in vars(step.resources).items() if v},
                "cells": list(step.cells),
                "notes": list(step.notes),
            }
            for step in plan.steps
        ],
        "parameters": {p.name: p.default for p in plan.parameters},
        "outputs": dict(plan.outputs),
        **({"folder": plan.folder} if plan.folder else {}),
        "schedule": {k: v for k, v in vars(schedule).items() if v} if schedule else None,
        "environment": {
            "python": plan.environment.python,
            "requirements": list(plan.environment.requirements),
            "variables": dict(plan.environment.variables),
            **({"secrets": list(plan.secrets)} if plan.secrets else {}),
        },
        **({"alert": plan.alert} if plan.alert else {}),
        "notes": list(plan.notes),
    }
    return documents(facts, quick=True)


def _pyproject(plan: Plan) -> str:
    requirements = "".join(f"    {json.dumps(r)},\n" for r in plan.environment.requirements)
    package = f"src/{plan.package}"
    written = [f"{package}/steps/*.py", f"{package}/definitions.py", f"{package}/pipeline.py", "tests/test_*.py"]
    text = (
        '[build-system]\nrequires = ["hatchling>=1.27"]\nbuild-backend = "hatchling.build"\n\n'
        f'[project]\nname = {json.dumps(plan.package)}\nversion = "0.1.0"\n'
        f"description = {json.dumps('The pipeline ' + _line(plan.name) + ', made from a notebook')}\n"
        f'requires-python = ">={plan.environment.python}"\ndependencies = [\n{requirements}]\n\n'
        '[tool.hatch.build.targets.wheel]\nonly-include = ["src"]\nsources = ["src"]\n\n'
        f"[tool.ruff]\nline-length = {LINE_LENGTH}\ninclude = {json.dumps(written)}\n"
    )
    tomllib.loads(text)  # a name that breaks it must not leave here
    return text


def _expected(plan: Plan) -> str:
    rows = [json.dumps(_expectation(each), ensure_ascii=False) for each in plan.expected]
    text = "[\n " + ",\n ".join(rows) + "\n]\n" if rows else "[]\n"
    return text.encode(errors="backslashreplace").decode()  # half of a surrogate pair has no UTF-8, and that escape


def _expectation(value: ExpectedValue) -> dict[str, object]:
    facts = vars(value).copy()
    text = facts.pop("json")
    return {**facts, "value": json.loads(text)} if text else facts


def _test(plan: Plan) -> str:
    return (
        '"""The pipeline, run in a process of its own, gives the values that the notebook had."""\n\n'
        "import json\nimport os\nimport subprocess\nimport sys\nfrom pathlib import Path\n\n"
        "BUNDLE = Path(__file__).parents[1]\n\n\n"
        "def call(*words):\n"
        '    environment = {**os.environ, "PYTHONPATH": str(BUNDLE / "src")}\n'
        f'    command = [sys.executable, "-m", {plan.package!r}, *words, "--json"]\n'
        "    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)\n"
        "    assert done.stdout, done.stderr\n"
        "    return json.loads(done.stdout)\n\n\n"
        "def test_reproduces(tmp_path):\n"
        '    run = call("run", "--store", str(tmp_path))\n'
        '    assert run["status"] == "succeeded", run\n'
        '    proof = call("check", "--store", str(tmp_path), "--run", run["run"])\n'
        '    assert proof["status"] in ("identical", "close"), proof\n'
    )


def _line(text: str) -> str:
    return " ".join(text.split()).replace('"', "'").replace("\\", "/")
