"""Run by the engines' interpreter: prints as JSON what flytekit understands of workflow files, or calls a workflow."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from flytekit import LaunchPlan, current_context
from flytekit.core.workflow import PythonFunctionWorkflow


def module_of(path: Path):
    spec = spec_from_file_location(path.parents[1].name, path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def workflow_of(path: Path) -> PythonFunctionWorkflow:
    return next(each for each in vars(module_of(path)).values() if isinstance(each, PythonFunctionWorkflow))


def described(workflow: PythonFunctionWorkflow) -> dict:
    """Return its tasks as flytekit joined them, their settings, its inputs and its schedule."""
    nodes = {node.id: node for node in workflow.nodes}
    short = {key: node.flyte_entity.name.rsplit(".", 1)[1] for key, node in nodes.items()}
    tasks = {short[key]: node.flyte_entity for key, node in nodes.items()}
    plans = [plan for plan in LaunchPlan.CACHE.values() if plan.schedule and plan.workflow is workflow]
    return {
        "after": {short[key]: sorted(short[up.id] for up in node.upstream_nodes) for key, node in nodes.items()},
        "retries": {name: task.metadata.retries for name, task in tasks.items()},
        "timeout": {
            name: task.metadata.timeout.total_seconds() for name, task in tasks.items() if task.metadata.timeout
        },
        "limits": {
            name: [r.cpu, r.mem, r.gpu] for name, task in tasks.items() if (r := task.resources.limits) and r.cpu
        },
        "secrets": {name: [s.env_var for s in task.security_context.secrets or []] for name, task in tasks.items()}
        if all(task.security_context for task in tasks.values())
        else {},
        "inputs": {
            n: [kind.__name__, default] for n, (kind, default) in workflow.python_interface.inputs_with_defaults.items()
        },
        "failure": workflow.on_failure.name.rsplit(".", 1)[1] if workflow.on_failure else None,
        "cron": [plan.schedule.cron_schedule.schedule for plan in plans if plan.schedule.cron_schedule],
        "rate": [[plan.schedule.rate.value, plan.schedule.rate.unit] for plan in plans if plan.schedule.rate],
    }


if __name__ == "__main__":
    if sys.argv[1] == "call":
        workflow_of(Path(sys.argv[2]))(**json.loads(sys.argv[3]))
    else:
        assert current_context().execution_id.name == "local"
        found = {}
        for path in sys.argv[2:]:
            LaunchPlan.CACHE.clear()
            found[path] = described(workflow_of(Path(path)))
        print(json.dumps(found))
