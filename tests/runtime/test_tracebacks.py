"""The traceback that a failed step records shows the pipeline's own code, and none of the runtime's."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter import runtime
from mlops_jupyter.runtime.errors import UserError
from mlops_jupyter.runtime.step.job import trimmed
from mlops_jupyter.runtime.tracking import log_metrics

PACKAGE = Path(runtime.__file__).parents[1]
"""In a bundle the runtime lies in the pipeline's package; here that is this package."""


def test_frames_of_the_runtime_are_left_out(tmp_path: Path) -> None:
    namespace = {"log_metrics": log_metrics}
    source = "def train():\n    log_metrics({'auc': 'high'})\n"
    exec(compile(source, str(tmp_path / "train.py"), "exec"), namespace)
    with pytest.raises(UserError) as fault:
        namespace["train"]()
    files = [line.strip() for line in trimmed(fault.value, PACKAGE, tmp_path).splitlines() if "File" in line]
    assert files == ['File "train.py", line 2, in train']
