"""Pauses between tries: what they are, and that every room that tries again has those that it is known for."""

from __future__ import annotations

import pytest

from mlops_jupyter.core.plan import Resources
from mlops_jupyter.integrations.mlflow import courier_process, upload
from mlops_jupyter.runtime.execution import coordinator
from mlops_jupyter.runtime.model.backoff import Backoff
from mlops_jupyter.runtime.storage import backends
from mlops_jupyter.services.export.emit.backoff import pauses


@pytest.mark.parametrize(
    "backoff, expected",
    [
        (Backoff(1, 2, 100), (1, 2, 4, 8, 16)),
        (Backoff(1, 2, 5), (1, 2, 4, 5, 5)),
        (Backoff(0.5, 3, 10), (0.5, 1.5, 4.5, 10, 10)),
        (Backoff(7, 1, 100), (7, 7, 7, 7, 7)),
        (Backoff(90, 2, 60), (90, 90, 90, 90, 90)),
        (Backoff(0, 2, 60), (0, 0, 0, 0, 0)),
    ],
    ids=["doubled", "to the longest", "threefold", "even", "begins beyond the longest", "none"],
)
def test_pauses(backoff: Backoff, expected: tuple[float, ...]) -> None:
    assert backoff.pauses(5) == expected
    assert [backoff.pause(retry) for retry in range(1, 6)] == list(expected)


def test_no_retry_has_no_pause() -> None:
    assert Backoff(1, 2, 100).pauses(0) == ()


def test_the_ten_thousandth_pause_is_the_longest() -> None:
    assert Backoff(0.5, 2, 60).pause(10_000) == Backoff(0.5, 2.0, 60).pause(10_000) == 60


def test_each_room_keeps_its_pauses() -> None:
    assert backends.BACKOFF.pauses(backends.RETRIES) == (0.3, 1.5)
    assert upload.BACKOFF.pauses(upload.ATTEMPTS - 1) == (0.25, 0.5, 1, 2)
    assert coordinator.backoff(20).pauses(4) == (20, 40, 60, 60)
    assert coordinator.backoff(90).pauses(2) == (90, 90)
    assert pauses(Resources(retries=3)) == ["0.5", "1", "2"]
    assert pauses(Resources(retries=4, backoff_seconds=20)) == ["20", "40", "60", "60"]


def test_patience_grows_until_mlflow_answers() -> None:
    patience = courier_process.Patience()
    assert [patience.lost() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    patience.found()
    assert patience.lost() == 0.5
