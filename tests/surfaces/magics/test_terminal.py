"""The magics in a plain IPython, as one types them in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TYPED = """\
%load_ext mlops_jupyter
%%pipeline load --params n=3
rows = list(range(n))


%%pipeline total
total = sum(rows)


%pipeline
%pipeline slice total
%pipeline history rows
%pipeline slice nothing
%pipeline run -p n=5
%pipeline run -p m=5
%pipeline export --output out
%pipeline diff out
%pipeline export --output out --update
%pipeline diff nowhere
%pipeline targets
"""


def test_a_session(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "COLUMNS": "200"}
    done = subprocess.run(
        command, input=TYPED, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    for line in (
        "Pipeline of 2 steps",
        "total  ● fresh",
        "# What made 'total': 2 of 3 executions, in the order in which they ran.",
        "rows: 1 version",
        "UsageError: no cell made 'nothing': the notebook has n, rows, total",
        "load: done",
        "succeeded in",
        "gives total",
        "UsageError: no parameter 'm': the pipeline has n",
        "out: 2 steps (load, total) for python",
        "no difference",
        "0 files written, 0 deleted",
        "UsageError: no bundle at 'nowhere': make one with export, without --update",
        "python  ",
    ):
        assert line in said, said
    assert said.count("load: done") == 1, said
    assert "error: no parameter" not in said
