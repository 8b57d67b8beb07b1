"""The pipeline, run in a process of its own, gives the values that the notebook had."""

import json
import os
import subprocess
import sys
from pathlib import Path

BUNDLE = Path(__file__).parents[1]


def call(*words):
    environment = {**os.environ, "PYTHONPATH": str(BUNDLE / "src")}
    command = [sys.executable, "-m", "diamond", *words, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_reproduces(tmp_path):
    run = call("run", "--store", str(tmp_path))
    assert run["status"] == "succeeded", run
    proof = call("check", "--store", str(tmp_path), "--run", run["run"])
    assert proof["status"] in ("identical", "close"), proof
