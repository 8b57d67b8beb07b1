"""Print how long steps without work take: `steps.py ENGINE|make|papermill COUNT`, in seconds for all of them.

`make` starts as many bare interpreters, two at a time; `papermill` runs as many notebooks of one empty cell.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from laid import cluster, lay, run


def ours(engine: str, count: int) -> float:
    """Run a pipeline of independent, empty steps; return the seconds."""
    steps = "".join(f'    Step("s{n}", "idle.steps.s{n}:s{n}", "1"),\n' for n in range(count))
    lay("idle", {f"s{n}": f"def s{n}():\n    pass\n" for n in range(count)}, steps, {}, {})
    with cluster(engine, 4) as words:
        seconds, answer = run("idle", *words)
    assert [step["status"] for step in answer["steps"]] == ["done"] * count
    return seconds


def make(count: int) -> float:
    """Let make start bare interpreters, two at a time; return the seconds."""
    names = " ".join(f"s{n}" for n in range(count))
    Path("Makefile").write_text(f"all: {names}\n{names}:\n\t@{sys.executable} -c pass\n")
    began = time.perf_counter()
    subprocess.run(["make", "--jobs=2", "all"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def papermill(count: int) -> float:
    """Run notebooks of one cell; return the seconds without the import of papermill."""
    import nbformat
    import papermill as peer

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("pass")])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python", "language": "python"}
    nbformat.write(book, "book.ipynb")
    began = time.perf_counter()
    for number in range(count):
        peer.execute_notebook("book.ipynb", f"out-{number}.ipynb", progress_bar=False)
    return time.perf_counter() - began


def main(side: str, count: int) -> float:
    """Measure a side."""
    peers = {"make": make, "papermill": papermill}
    return peers[side](count) if side in peers else ours(side, count)


print("\n" + json.dumps([main(sys.argv[1], int(sys.argv[2]))]))
