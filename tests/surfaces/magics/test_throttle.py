"""A listener that grows slow does not slow the cells down, and what changed last is seen all the same."""

from __future__ import annotations

import asyncio
import time

from mlops_jupyter.surfaces.magics import throttle
from mlops_jupyter.surfaces.magics.throttle import Throttle

SLOW = 2 * throttle.QUICK


class Listener:
    """Notes what it saw of a counter, as often as it is called; takes a given time."""

    def __init__(self, seconds: float) -> None:
        self.changes = 0
        self.seen: list[int] = []
        self._seconds = seconds

    def __call__(self) -> None:
        time.sleep(self._seconds)
        self.seen.append(self.changes)


async def _change(listener: Listener, throttled: Throttle, times: int) -> None:
    for _ in range(times):
        listener.changes += 1
        throttled.changed()
        await asyncio.sleep(0)


def test_a_slow_one_is_called_once_for_many_changes_and_sees_the_last() -> None:
    async def played() -> None:
        listener = Listener(SLOW)
        throttled = Throttle(listener)
        await _change(listener, throttled, 50)
        assert listener.seen == [1]
        await asyncio.sleep(2 * SLOW / throttle.SHARE)
        assert listener.seen == [1, 50]

    asyncio.run(played())


def test_a_quick_one_is_called_for_each_change() -> None:
    async def played() -> None:
        listener = Listener(0)
        await _change(listener, Throttle(listener), 5)
        assert listener.seen == [1, 2, 3, 4, 5]

    asyncio.run(played())


def test_the_end_of_a_session_makes_the_call_that_waits() -> None:
    async def played() -> None:
        listener = Listener(SLOW)
        throttled = Throttle(listener)
        await _change(listener, throttled, 3)
        throttled.close()
        assert listener.seen == [1, 3]
        throttled.close()
        assert listener.seen == [1, 3]

    asyncio.run(played())


def test_without_a_loop_a_later_change_or_the_end_is_the_next_call() -> None:
    listener = Listener(SLOW)
    throttled = Throttle(listener)
    for _ in range(3):
        listener.changes += 1
        throttled.changed()
    assert listener.seen == [1]
    time.sleep(2 * SLOW / throttle.SHARE)
    listener.changes += 1
    throttled.changed()
    assert listener.seen == [1, 4]
    throttled.changed()
    throttled.close()
    assert listener.seen == [1, 4, 4]


def test_a_listener_that_raises_is_called_again(caplog) -> None:
    async def played() -> None:
        calls = []

        def listener() -> None:
            calls.append(len(calls))
            time.sleep(SLOW)
            if len(calls) == 2:
                raise OSError("the disk is full")

        throttled = Throttle(listener)
        throttled.changed()
        throttled.changed()
        await asyncio.sleep(2 * SLOW / throttle.SHARE)
        assert "shown after the next cell" in caplog.text
        throttled.changed()
        await asyncio.sleep(2 * SLOW / throttle.SHARE)
        assert len(calls) == 3

    asyncio.run(played())
