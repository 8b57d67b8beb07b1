"""What holds for every test: the order."""

from __future__ import annotations

from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser tests last: Playwright's sync API keeps an event loop running in the main thread until the end.

    Tests of the server that came after them could not run a loop of their own.
    """
    items.sort(key=lambda item: item.path.is_relative_to(BROWSER))
