"""Run by an interpreter that has Azure ML's SDK: prints as JSON what it makes of `azureml/` in folders.

The SDK reads a file as it would before it sends it: unknown keys, references that lead nowhere and names that are none
are faults. What it would send has the jobs, what each takes, and the trigger of the schedule.
"""

import json
import sys
from pathlib import Path

from azure.ai.ml.entities._load_functions import load_job, load_schedule


def read(folder):
    """Return what would be sent of a folder's files."""
    job = load_job(folder / "pipeline.yml")
    checked = job._validate()
    assert checked.passed, checked
    sent = job._to_rest_object().as_dict()["properties"]
    found = {"inputs": {name: one["value"] for name, one in sent.get("inputs", {}).items()}, "jobs": sent["jobs"]}
    if (folder / "schedule.yml").exists():
        schedule = load_schedule(folder / "schedule.yml")
        assert schedule._validate().passed
        found["trigger"] = schedule._to_rest_object().as_dict()["properties"]["trigger"]
    return found


print(json.dumps([read(Path(folder)) for folder in sys.argv[1:]], default=str))
