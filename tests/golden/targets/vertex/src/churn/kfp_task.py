"""A task of Kubeflow's: a step of the pipeline, or the alert that something failed.

What the task was given comes as JSON, Kubeflow's "executor input". Nothing of kfp is needed.
"""

import json
import os
import sys
from pathlib import Path

from .pipeline import PIPELINE


def main():
    """Become the command of a task: `step NAME INPUT`, or `alert NAME INPUT`."""
    kind, name, given = sys.argv[1:]
    values = json.loads(given)["inputs"]["parameterValues"]
    where = ["--store", values["store-uri"], "--run", values["run-id"]]
    if kind == "step":
        command = ["step", name, *where, *parameters(values, PIPELINE.parameters)]
        if values.get("data-folder"):
            command += ["--data", values["data-folder"]]
    elif values["status"]["state"] == "SUCCEEDED":
        return
    else:
        command = ["alert", *where, "--to", name]
    home = Path(__file__).parents[2]
    own = home / ".venv" / "bin" / "python"
    python = str(own if own.exists() else sys.executable)
    os.environ["PYTHONPATH"] = str(home / "src")
    os.execv(python, [python, "-m", PIPELINE.package, *command])


def parameters(values, defaults):
    """Yield as words of a command the parameters that are not as they are by default."""
    for name, default in defaults.items():
        if name not in values:
            continue
        value = plain(values[name])
        if default is None:  # its type is not known: JSON, else text
            if value != "null":
                yield from ("-p", f"{name}={value}")
        elif json.dumps(value, sort_keys=True) != json.dumps(plain(default), sort_keys=True):
            yield from ("-p", f"{name}={json.dumps(value)}")


def plain(value):
    """Return a value as it comes through Kubeflow, where 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [plain(part) for part in value]
    return {key: plain(part) for key, part in value.items()} if isinstance(value, dict) else value
