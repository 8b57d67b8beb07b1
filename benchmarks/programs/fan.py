"""Print how long `--each` takes over many values: `fan.py ENGINE VALUES`; Ray on three nodes of this machine."""

from __future__ import annotations

import json
import sys

from laid import cluster, lay, run

STEPS = """
    Step("load", "fan.steps.load:load", "1", outputs=(("rows",),)),
    Step("use", "fan.steps.use:use", "1", inputs={"rows": "load"}, outputs=(("said",),), parameters=("n",), cpu=0.5),
"""

MODULES = {
    "load": "def load():\n    return list(range(100))\n",
    "use": "def use(rows, n):\n    return sum(rows) + n\n",
}


def main(engine: str, count: int) -> float:
    """Run the pipeline once for each value; return the seconds."""
    lay("fan", MODULES, STEPS, {"n": 0}, {"said": "use"})
    with cluster(engine, 4) as words:  # the first node runs no steps
        seconds, answer = run("fan", "--each", f"n={','.join(map(str, range(count)))}", *words)
    assert [row["outputs"]["said"] for row in answer["runs"]] == [4950 + n for n in range(count)]
    return seconds


print(json.dumps([main(sys.argv[1], int(sys.argv[2]))]))
