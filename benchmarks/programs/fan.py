"""Print how long `--each` takes over many values: `fan.py ENGINE VALUES`; Ray on three nodes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

MAIN = """
import sys

from fan.pipeline import PIPELINE
from fan.runtime.command import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
"""

PIPELINE = """
from fan.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline("fan", "fan", (
    Step("load", "fan.steps:load", "1", outputs=(("rows",),)),
    Step("use", "fan.steps:use", "1", inputs={"rows": "load"}, outputs=(("said",),), parameters=("n",), cpu=0.5),
), {"n": 0}, {"said": "use"})
"""

STEPS = """
def load():
    return list(range(100))


def use(rows, n):
    return sum(rows) + n
"""


@contextlib.contextmanager
def cluster(engine: str):
    """The words that name the engine, while it is there."""
    if engine == "local":
        yield []
        return
    command = [sys.executable, str(ROOT / "tests" / "engines" / "cluster.py"), engine, "4"]  # the first takes no steps
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    nodes = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True)
    try:
        yield ["--engine", engine, "--address", nodes.stdout.readline().strip()]
    finally:
        nodes.stdin.close()
        nodes.wait()


def main() -> None:
    """Lay the bundle and run it."""
    engine, count = sys.argv[1:]
    home = Path("src", "fan")
    home.mkdir(parents=True)
    shutil.copytree(ROOT / "mlops_jupyter" / "runtime", home / "runtime")
    for name, text in (("__init__", ""), ("__main__", MAIN), ("pipeline", PIPELINE), ("steps", STEPS)):
        (home / f"{name}.py").write_text(text)
    each = f"n={','.join(map(str, range(int(count))))}"
    with cluster(engine) as words:
        command = [sys.executable, "-m", "fan", "run", "--store", "store", "--json", "--each", each, *words]
        began = time.perf_counter()
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": "src"}, stdout=subprocess.PIPE, check=True)
        seconds = time.perf_counter() - began
    runs = json.loads(done.stdout)["runs"]
    assert [row["outputs"]["said"] for row in runs] == [4950 + n for n in range(int(count))]
    print(json.dumps([seconds]))


if __name__ == "__main__":
    main()
