"""What holds for every test: Ctrl-C works, their order, who may run them, and that none leaves an address of MLflow."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

collect_ignore = ["golden/bundles"]  # what an export looks like; its own tests need its runtime beside it


# a shell's `&` ignores it, and what the tests start and interrupt would inherit that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that use a browser last: Playwright's sync API keeps an event loop running in the main thread.

    Tests of the server that came after one could not run a loop of their own. Wherever such a test lies, it takes
    the fixture `playwright` (through `page` or `browser`).
    """
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what only root can do, and say why: ``@pytest.mark.needs_root("it mounts a disk of its own")``."""
    marker = item.get_closest_marker("needs_root")
    if marker is not None and os.geteuid() != 0:
        pytest.skip(f"needs root: {marker.args[0]}")


@pytest.fixture(autouse=True)
def _address() -> Iterator[None]:
    """`mlflow.set_tracking_uri` writes to the environment, which kernels of later tests would inherit."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    yield
    if before is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    else:
        os.environ["MLFLOW_TRACKING_URI"] = before
