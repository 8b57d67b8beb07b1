"""Print the seconds of running a pipeline again unchanged: `unchanged.py ours|dvc|ploomber STEPS`.

Each step adds one to the number of the step before it. The whole process is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from laid import lay, run

STAGE = """
  s{0}:
    cmd: {1} stage.py {0}
    deps: [stage.py{2}]
    outs: [s{0}.json]
"""

STAGE_CODE = """
import json, pathlib, sys

n = int(sys.argv[1])
before = json.loads(pathlib.Path(f"s{n - 1}.json").read_text()) if n else -1
pathlib.Path(f"s{n}.json").write_text(json.dumps(before + 1))
"""

FIRST = """
import json, pathlib

def s0(product):
    pathlib.Path(str(product)).write_text("0")
"""

TASK = """
def s{0}(product, upstream):
    before = json.loads(pathlib.Path(str(upstream["s{1}"])).read_text())
    pathlib.Path(str(product)).write_text(json.dumps(before + 1))
"""


def ours(count: int) -> float:
    """Run a bundle twice; return the seconds of the second run."""
    modules = {f"s{n}": f"def s{n}(v{n - 1}):\n    return v{n - 1} + 1\n" for n in range(1, count)}
    modules["s0"] = "def s0():\n    return 0\n"
    sources = [f"inputs={{'v{n - 1}': 's{n - 1}'}}, " if n else "" for n in range(count)]
    step = '    Step("s{0}", "chain.steps.s{0}:s{0}", "1", {1}outputs=(("v{0}",),)),\n'
    steps = "".join(step.format(n, sources[n]) for n in range(count))
    lay("chain", modules, steps, {}, {f"v{count - 1}": f"s{count - 1}"})
    run("chain")
    seconds, answer = run("chain")
    assert [step["status"] for step in answer["steps"]] == ["cached"] * count
    return seconds


def dvc(count: int) -> float:
    """Run `dvc repro` twice over stages that each run a file; return the seconds of the second run."""
    Path("stage.py").write_text(STAGE_CODE)
    stages = (STAGE.format(n, sys.executable, f", s{n - 1}.json" if n else "") for n in range(count))
    Path("dvc.yaml").write_text("stages:" + "".join(stages))
    program = str(Path(sys.executable).with_name("dvc"))
    _done(program, "init", "--no-scm", "--quiet")
    return _twice(program, "repro")


def ploomber(count: int) -> float:
    """Run `ploomber build` twice over functions; return the seconds of the second run."""
    Path("tasks.py").write_text(FIRST + "".join(TASK.format(n, n - 1) for n in range(1, count)))
    tasks = [{"source": f"tasks.s{n}", "name": f"s{n}", "product": f"s{n}.json"} for n in range(count)]
    Path("pipeline.yaml").write_text(json.dumps({"tasks": tasks}))  # JSON is YAML
    return _twice(str(Path(sys.executable).with_name("ploomber")), "build")


def _twice(*command: str) -> float:
    _done(*command)
    began = time.perf_counter()
    _done(*command)
    return time.perf_counter() - began


def _done(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main(side: str, count: int) -> float:
    """Measure a side."""
    return {"ours": ours, "dvc": dvc, "ploomber": ploomber}[side](count)


print("\n" + json.dumps([main(sys.argv[1], int(sys.argv[2]))]))
