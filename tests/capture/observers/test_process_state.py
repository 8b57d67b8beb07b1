"""Which cells ask pyplot for figures that were open before them."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observers.process_state import ProcessState
from mlops_jupyter.core.hidden_names import DRAWING


@pytest.fixture
def figure_1() -> Iterator[None]:
    """Have it open."""
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    plt.close("all")
    plt.figure(1)
    yield
    plt.close("all")
    plt.switch_backend(backend)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("plt.gcf()", True),
        ("plt.figure()", False),
        ("plt.figure(1)", True),
        ("plt.figure(2)", False),
        ("plt.figure(n)", True),
        ("plt.figure('loss')", True),
        ("plt.figure(figsize=(1, 2))", False),
        ("plt.figure(1, figsize=(1, 2))", True),
        ("plt.subplots(1, 2, num=1)", True),
        ("plt.figure(\n    num = n)", True),
        ("plt.figure(num=2)", False),
        ("num = n", False),
    ],
)
@pytest.mark.usefixtures("figure_1")
def test_what_asks_for_an_open_figure(text: str, asks: bool) -> None:
    observer, cell = ProcessState({}), ActiveCell(None, text)
    cell.parse()
    observer.before(cell)
    seen = observer.after(cell)
    assert (DRAWING in seen.reads) is asks
    assert not seen.writes  # the text did not run
