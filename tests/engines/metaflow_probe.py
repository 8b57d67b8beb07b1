"""Run by the engines' interpreter: prints as JSON what Metaflow understands of flow files."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from metaflow import FlowSpec
from metaflow.flowspec import FlowStateItems
from metaflow.graph import FlowGraph


def flow_of(path: Path) -> type:
    """Import a file; return the flow that it declares."""
    spec = spec_from_file_location(path.parent.name, path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return next(each for each in vars(module).values() if isinstance(each, type) and each.__mro__[1:2] == (FlowSpec,))


def described(flow: type) -> dict:
    """Return its steps as Metaflow joined them, their decorators, and its parameters."""
    graph = FlowGraph(flow)
    declared = flow._flow_state[FlowStateItems.FLOW_DECORATORS]
    return {
        "name": flow.__name__,
        "next": {node.name: node.out_funcs for node in graph},
        "joins": [node.name for node in graph if node.type == "join"],
        "decorators": {
            node.name: {
                d.name: {k: v for k, v in d.attributes.items() if v} for d in getattr(flow, node.name).decorators
            }
            for node in graph
        },
        "parameters": {
            name: [p._override_kwargs["default"], getattr(p._override_kwargs["type"], "__name__", "JSON")]
            for name, p in vars(flow).items()
            if type(p).__name__ == "Parameter"
        },
        "schedule": [d.attributes for d in declared.get("schedule", [])],
        "hooks": [h.__name__ for d in declared.get("exit_hook", []) for h in d.attributes["on_error"]],
    }


if __name__ == "__main__":
    taken = [name for name in dir(FlowSpec) if not name.startswith("_")]
    flows = {path: described(flow_of(Path(path))) for path in sys.argv[1:]}
    print(json.dumps({"taken": taken, "flows": flows}))
