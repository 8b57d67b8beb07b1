"""The seed of `hash()` for text: an interpreter reads PYTHONHASHSEED only when it starts."""

from __future__ import annotations

import os
import sys

from ..model.pipeline import Pipeline
from .console import Stdout


def restart_seeded(pipeline: Pipeline, answer: Stdout, run: str) -> None:
    """Restart this process, and with it the run, if its hash seed is not the PYTHONHASHSEED of the pipeline."""
    seed = pipeline.environment.get("PYTHONHASHSEED")
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    if seed in (None, os.environ.get("PYTHONHASHSEED")):
        return
    if main is None or main.name != f"{pipeline.package}.__main__":  # the process of another program
        return
    sys.stderr.flush()
    answer.give_back()
    environ = {**os.environ, "PYTHONHASHSEED": str(seed)}
    os.execve(sys.executable, [*sys.orig_argv, "--run", run], environ)
