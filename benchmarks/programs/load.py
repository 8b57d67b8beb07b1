"""Time one start: of our extension in a shell, of MLflow's import, or of the shell itself."""

import json
import sys
import time


def shell():
    from IPython.core.interactiveshell import InteractiveShell

    return InteractiveShell.instance()


def mlops_jupyter(running) -> None:
    running.run_line_magic("load_ext", "mlops_jupyter")


def mlflow(running) -> None:
    import mlflow  # noqa: F401


def measure(what: str) -> float:
    if what == "ipython":
        start = time.perf_counter()
        shell()
    else:
        running, act = shell(), {"mlops_jupyter": mlops_jupyter, "mlflow": mlflow}[what]
        start = time.perf_counter()
        act(running)
    return time.perf_counter() - start


print("\n" + json.dumps([measure(sys.argv[1])]))
