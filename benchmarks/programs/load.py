"""Measure one start, in seconds: of our extension in a shell, of MLflow's import, or of the shell itself."""

import json
import sys
import time


def shell():
    """Return a new IPython shell."""
    from IPython.core.interactiveshell import InteractiveShell

    return InteractiveShell.instance()


def mlops_jupyter(running) -> None:
    """Load our extension in a shell."""
    running.run_line_magic("load_ext", "mlops_jupyter")


def mlflow(running) -> None:
    """Import MLflow."""
    import mlflow  # noqa: F401


def measure(what: str) -> float:
    """Return the seconds of one start."""
    if what == "ipython":
        start = time.perf_counter()
        shell()
    else:
        running, act = shell(), {"mlops_jupyter": mlops_jupyter, "mlflow": mlflow}[what]
        start = time.perf_counter()
        act(running)
    return time.perf_counter() - start


print("\n" + json.dumps([measure(sys.argv[1])]))
