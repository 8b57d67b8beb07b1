"""Signals that come while a library works which does not bear what their handlers raise."""

from __future__ import annotations

import os
import signal

import pytest

from mlops_jupyter.runtime.executors.ray import undisturbed


class Stopped(BaseException):
    """What a handler raises."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_is_heeded_after_the_work(number):
    def stop(number, frame):
        raise Stopped

    before, worked = signal.signal(number, stop), False
    try:
        with pytest.raises(Stopped), undisturbed():
            os.kill(os.getpid(), number)
            worked = True
        assert worked
        assert signal.getsignal(number) is stop
        with undisturbed():
            pass  # and none that did not come
    finally:
        signal.signal(number, before)
