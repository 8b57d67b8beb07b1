"""The notebook's cells in one process, as a pipeline of one step: what the pipeline of many steps is compared with.

`tests/notebook.py` of a bundle holds the cells. Their run has the same parameters, data files and initial hidden
variables as a run of the pipeline, and delivers the same outputs.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from dataclasses import replace
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..errors import PipelineError
from ..hidden.names import FILE, HIDDEN
from ..model.pipeline import INITIAL, Pipeline, Step
from ..step.initial import package_folder

STEP = "notebook"
"""Name of the one step."""


def as_one_step(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline whose one step runs the notebook's cells, and which delivers the same outputs.

    Raises
    ------
    PipelineError
        The bundle has no `tests/notebook.py`.
    """
    _program(pipeline)
    initial = {name: maker for step in pipeline.steps for name, maker in step.inputs.items() if maker == INITIAL}
    files = [name for step in pipeline.steps for name in step.makes if name.startswith(FILE)]  # laid as copies then
    step = Step(
        name=STEP,
        function=f"{__name__}:run_cells",
        version="",
        inputs={name: INITIAL for name in initial if name.startswith(HIDDEN)},
        outputs=tuple((name,) for name in dict.fromkeys((*pipeline.outputs, *files))),
        parameters=tuple(pipeline.parameters),
        packages=tuple(dict.fromkeys(name for each in pipeline.steps for name in each.packages)),
        always=True,
    )
    return replace(pipeline, steps=(step,), outputs=dict.fromkeys(pipeline.outputs, STEP))


def _program(pipeline: Pipeline) -> Path:
    path = package_folder(pipeline).parent.parent / "tests" / "notebook.py"
    if not path.is_file():
        raise PipelineError(f"no file {str(path)!r}, which holds the notebook's cells: export again")
    return path


def run_cells(**parameters: object) -> Any:
    """Run the cells in a module `__main__` of their own; return the delivered values as the function of a step does.

    Parameters
    ----------
    parameters : values of all the pipeline's parameters.

    Raises
    ------
    PipelineError
        The cells do not bind an output.
    """
    package = __package__.removesuffix(".runtime.verify")
    pipeline: Pipeline = importlib.import_module(f"{package}.pipeline").PIPELINE
    path = _program(pipeline)
    main = sys.modules["__main__"] = ModuleType("__main__")  # where pickle looks for the cells' functions and classes
    vars(main)["__parameters__"] = dict(parameters)
    source = path.read_bytes()
    code = compile(source, str(path), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    _run(code, vars(main))
    wanted = [name for name in pipeline.outputs if not name.startswith(HIDDEN)]
    for name in wanted:
        if name not in vars(main):
            raise PipelineError(f"the notebook's cells bound no {name!r}")
    values = tuple(vars(main)[name] for name in wanted)
    return values[0] if len(values) == 1 else values


def _run(code: CodeType, names: dict[str, Any]) -> None:
    """Execute a program; one that awaits at its top level runs in an event loop."""
    if code.co_flags & inspect.CO_COROUTINE:
        import asyncio

        asyncio.run(eval(code, names))
    else:
        exec(code, names)
