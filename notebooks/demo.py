"""Runs the main job from end to end: `make demo`.

Runs the churn notebook, exports it for Airflow, verifies the bundle, runs it on the embedded scheduler, and prints what
to open next. Every line is a command that a user could type.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUNDLE = HERE / "build" / "churn"
DAY = 86_400


def mlops(*words: str) -> None:
    """Print a command of `mlops-jupyter` and run it in the notebooks' folder; exit if it fails."""
    print(f"\n$ mlops-jupyter {shlex.join(words)}", flush=True)
    began = time.perf_counter()
    result = subprocess.run([sys.executable, "-m", "mlops_jupyter", *words], cwd=HERE, check=False)
    print(f"  ({time.perf_counter() - began:.1f} s)", flush=True)
    if result.returncode != 0:
        sys.exit(f"demo: `mlops-jupyter {words[0]}` ended with exit code {result.returncode}")


def main() -> None:
    """Run the demo."""
    began = time.perf_counter()
    name, cron = BUNDLE.relative_to(HERE).as_posix(), "0 6 * * 1"
    mlops("export", "01_churn.ipynb", "--to", "airflow", "--output", name, "--schedule", cron)
    mlops("verify", name)
    mlops("schedule", "add", name, "--cron", cron, "--data", ".")
    try:
        # the scheduler with its clock a week ahead, so that Monday's run is due
        mlops("scheduler", "--once", "--ahead", str(8 * DAY))
        mlops("schedule", "history", name)
    finally:
        mlops("schedule", "remove", name)
    mlops("runs", "--sync")
    mlops("models")
    python = os.path.relpath(sys.executable)
    print(
        f"\nDone in {time.perf_counter() - began:.0f} s. Open next:\n"
        f"  {python} -m jupyterlab notebooks/01_churn.ipynb     the notebook, with the panel at the left\n"
        f"  notebooks/{name}/README.md                          the pipeline; its steps are in src/churn/steps/\n"
        f"  {python} -m mlflow ui --backend-store-uri sqlite:///notebooks/.mlops/mlflow.db     runs and models"
    )


if __name__ == "__main__":
    main()
