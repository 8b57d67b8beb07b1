"""Print how long a pipeline takes whose steps hand an 80 MB frame on: `net.py with|without`, in seconds.

Without: the check that a step leaves alone what later steps take is taken out of the bundle.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from laid import lay, run

ROWS = 2_500_000
"""Four columns of eight bytes: 80 MB."""

STEPS = """
    Step("load", "wide.steps.load:load", "1", outputs=(("df",),)),
    Step("means", "wide.steps.means:means", "1", inputs={"df": "load"}, outputs=(("mean",),)),
    Step("groups", "wide.steps.groups:groups", "1", inputs={"df": "load", "mean": "means"}, outputs=(("sums",),)),
    Step("report", "wide.steps.report:report", "1", inputs={"df": "load", "sums": "groups"}, outputs=(("total",),)),
"""

MODULES = {
    "load": "import numpy as np\nimport pandas as pd\n\n\ndef load():\n    draw = np.random.default_rng(0)\n"
    f"    return pd.DataFrame(draw.random(({ROWS}, 4)), columns=list('abcd'))\n",
    "means": "def means(df):\n    return float(df['a'].mean())\n",
    "groups": "def groups(df, mean):\n    return df.groupby(df['a'] > mean)[['b', 'c']].sum()\n",
    "report": "def report(df, sums):\n    return float(sums['b'].sum() + df['d'].quantile(0.9))\n",
}


def main(side: str) -> float:
    """Run the pipeline once; return the seconds."""
    lay("wide", MODULES, STEPS, {}, {"total": "report"})
    if side == "without":
        path = Path("src/wide/runtime/step/job.py")
        text = path.read_text()
        for line in ("check.begin(arguments)", "check.watch()", "check.end(arguments)"):
            assert line in text, line
            text = text.replace(line, "pass")
        path.write_text(text)
    seconds, answer = run("wide")
    assert [step["status"] for step in answer["steps"]] == ["done"] * 4
    return seconds


print("\n" + json.dumps([main(sys.argv[1])]))
