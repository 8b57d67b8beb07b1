"""Argo's own models read files strictly: `python argo_probe.py FILE...`; what they would drop in silence is a fault."""

import json
import sys
from pathlib import Path

import yaml
from hera.workflows.models import CronWorkflow, Workflow, WorkflowTemplate

KINDS = {"CronWorkflow": CronWorkflow, "Workflow": Workflow, "WorkflowTemplate": WorkflowTemplate}


def lost(given, kept, where=""):
    """Keys of a document that the model does not know."""
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(kept, dict) or key not in kept:
                yield f"{where}.{key}: unknown key"
            else:
                yield from lost(value, kept[key], f"{where}.{key}")
    elif isinstance(given, list):
        for number, value in enumerate(given):
            yield from lost(value, kept[number], f"{where}[{number}]")


faults = []
for path in sys.argv[1:]:
    for document in yaml.safe_load_all(Path(path).read_text()):
        model = KINDS[document["kind"]].model_validate(document)
        kept = json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
        faults += [f"{path}{fault}" for fault in lost(document, kept)]
print("\n".join(faults))
sys.exit(1 if faults else 0)
