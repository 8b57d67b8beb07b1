"""Writes a bundle with given steps into the working directory, runs it, and starts clusters for it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

MAIN = """
import sys

from {0}.pipeline import PIPELINE
from {0}.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
"""

PIPELINE = """
from {0}.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline("{0}", "{0}", (
{1}), {2!r}, {3!r})
"""


def lay(package: str, modules: dict[str, str], steps: str, parameters: dict[str, Any], outputs: dict[str, str]) -> None:
    """Write a bundle below `src/` of the working directory.

    Parameters
    ----------
    modules : name in `steps/` -> source.
    steps : source of the `Step(...)` calls, each followed by a comma.
    outputs : name of an output -> name of the step that makes it.
    """
    home = Path("src", package)
    (home / "steps").mkdir(parents=True)
    shutil.copytree(ROOT / "mlops_jupyter" / "runtime", home / "runtime")
    texts = {"__init__": "", "__main__": MAIN.format(package), "steps/__init__": ""}
    texts["pipeline"] = PIPELINE.format(package, steps, parameters, outputs)
    texts |= {f"steps/{name}": source for name, source in modules.items()}
    for name, text in texts.items():
        (home / f"{name}.py").write_text(text)


def run(package: str, *words: str) -> tuple[float, dict[str, Any]]:
    """Run the bundle; return the seconds that the whole process took, and the JSON that it printed."""
    command = [sys.executable, "-m", package, "run", "--store", "store", "--json", *words]
    began = time.perf_counter()
    result = subprocess.run(command, env={**os.environ, "PYTHONPATH": "src"}, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - began, json.loads(result.stdout)


@contextlib.contextmanager
def cluster(engine: str, nodes: int) -> Iterator[list[str]]:
    """Start a cluster of an engine with some nodes on this machine; yield the arguments that name it."""
    if engine == "local":
        yield []
        return
    command = [sys.executable, str(ROOT / "tests" / "engines" / "cluster.py"), engine, str(nodes)]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True) as process:
        assert process.stdin and process.stdout
        yield ["--engine", engine, "--address", process.stdout.readline().strip()]
        process.stdin.close()
