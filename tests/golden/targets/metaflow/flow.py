"""The pipeline `churn` on Metaflow: a step for each of its steps, run by the pipeline's own interpreter.

Steps that need not wait for each other run side by side; those that come after wait for all of them.

The environment says where; nothing has to be set while this file is in its bundle:

* PIPELINE_HOME: the bundle's folder; without it, this file's.
* PIPELINE_STORE: where runs and artifacts are kept, a folder or an fsspec address that every step reaches; without it,
  `out` in the bundle.
* PIPELINE_DATA: a folder with newer data files under the same names; without it, the copies in the bundle.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from metaflow import FlowSpec, JSONType, Parameter, current, exit_hook, resources, retry, schedule, step, timeout

PACKAGE = "churn"
HOME = Path(os.environ.get("PIPELINE_HOME") or Path(__file__).resolve().parent)
STORE = os.environ.get("PIPELINE_STORE") or str(HOME / "out")
# Names of the pipeline's parameters -> what they are called here.
PARAMETERS = {"n_estimators": "n_estimators", "threshold": "threshold", "label": "label", "verbose": "verbose", "columns": "columns", "grid": "grid", "limit": "limit"}


def run_step(flow, name):
    """Run one step as `python -m churn step NAME`; fail when it fails."""
    words = ["step", name, "--store", STORE, "--run", f"{current.flow_name}-{current.run_id}"]
    if data := os.environ.get("PIPELINE_DATA"):
        words += ["--data", data]
    for parameter, called in PARAMETERS.items():
        words += ["-p", f"{parameter}={json.dumps(getattr(flow, called))}"]
    command(words)


def command(words):
    """Run the pipeline's command with the interpreter of the bundle's `.venv`, or with the one that runs this."""
    own = HOME / ".venv" / "bin" / "python"
    python = str(own if own.exists() else sys.executable)
    # The step needs none of Metaflow's settings.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("METAFLOW")}
    environment["PYTHONPATH"] = str(HOME / "src")
    process = subprocess.Popen([python, "-m", PACKAGE, *words], cwd=HOME, env=environment, stdin=subprocess.DEVNULL)
    try:
        code = process.wait()
    finally:  # also when its time is up
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
    if code:
        raise RuntimeError(f"{' '.join(words[:2])!r} of {PACKAGE} ended with exit code {code}; what it printed is above")


def alert(run):
    """Say that a run failed."""
    command(["alert", "--store", STORE, "--run", f"{run.parent.id}-{run.id}", "--to", "ALERT_URL"])


@schedule(cron="0 6 ? * MON *", timezone="Europe/Oslo")
@exit_hook(on_error=[alert])
class ChurnFlow(FlowSpec):
    """The steps, joined by what flows between them."""

    n_estimators = Parameter("n_estimators", default=200, type=int)
    threshold = Parameter("threshold", default=0.5, type=float)
    label = Parameter("label", default='who\'s "leaving"?\n{{ ds }} $(rm -rf ~) `x` {% raw %} @@STEPS@@', type=str)
    verbose = Parameter("verbose", default=False, type=bool)
    columns = Parameter("columns", default='["age", "r\\u00e9gion"]', type=JSONType)
    grid = Parameter("grid", default='{"depth": [3, null]}', type=JSONType)
    limit = Parameter("limit", default="null", type=JSONType)

    @step
    def start(self):
        self.next(self.load)

    @step
    def load(self):
        run_step(self, "load")
        self.next(self.clean)

    @step
    def clean(self):
        run_step(self, "clean")
        self.next(self.train)

    @retry(times=2, minutes_between_retries=1)
    @timeout(seconds=1800)
    @resources(cpu=2, memory=1074, gpu=1)
    @step
    def train(self):
        run_step(self, "train")
        self.next(self.report)

    @retry(times=1, minutes_between_retries=0)
    @step
    def report(self):
        run_step(self, "report")
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    ChurnFlow()
