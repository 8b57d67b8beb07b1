"""Log metrics one by one; print the seconds of each call as JSON."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def ours() -> Callable[[int], None]:
    """Return a function that logs a metric in our ledger."""
    from mlops_jupyter.runtime.storage.objects import project_objects
    from mlops_jupyter.services.tracking.service import Tracking
    from mlops_jupyter.store.ledger import Ledger

    here = Path.cwd()
    # The courier works in another process, after the call; here none is started, so that none outlives the measurement.
    tracking = Tracking(Ledger(here / "ledger.db"), project_objects(here), lambda: None)
    run = tracking.start("bench")
    return lambda i: tracking.log(run.id, {"loss": 1 / (i + 1)}, step=i)


def mlflow() -> Callable[[int], None]:
    """Return a function that logs a metric with MLflow into SQLite."""
    import logging

    import mlflow

    logging.disable(logging.INFO)
    mlflow.set_tracking_uri(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    mlflow.set_experiment("bench")
    mlflow.start_run()
    return lambda i: mlflow.log_metric("loss", 1 / (i + 1), step=i)


def main(side: str, count: str) -> list[float]:
    """Log metrics; return the seconds of each call."""
    log = {"ours": ours, "mlflow": mlflow}[side]()
    seconds = []
    for i in range(int(count)):
        start = time.perf_counter()
        log(i)
        seconds.append(time.perf_counter() - start)
    return seconds


print("\n" + json.dumps(main(*sys.argv[1:])), flush=True)
