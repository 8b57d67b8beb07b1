"""Bounds what a listener may cost a session: it is called after a cell, or a little later from the kernel's loop.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

SHARE = 0.05
"""The share of a session's time that a throttled listener may take."""

QUICK = 0.01
"""A listener that takes no longer than this is called after each cell, in seconds."""

_log = logging.getLogger("mlops_jupyter")


class Throttle:
    """Calls a listener when something has changed; a slow one no more often than takes a `SHARE` of the time.

    What changed while it waits is seen by the next call, which the event loop of the kernel makes, also between the
    cells of Run All. Where no loop runs (a plain terminal), the next change after the wait makes it, or the end.

    Parameters
    ----------
    listener : takes no arguments; looks at the present state, so that calls may be left out.
    """

    def __init__(self, listener: Callable[[], None]) -> None:
        self._listener = listener
        self._next = 0.0
        self._pending: asyncio.TimerHandle | None = None
        self._is_seen = True

    def changed(self) -> None:
        """Call the listener now, or as soon as it may be called again."""
        self._is_seen = False
        wait = self._next - time.monotonic()
        if wait <= 0:
            self._call()
        elif self._pending is None and (loop := _running_loop()) is not None:
            self._pending = loop.call_later(wait, self._call_late)

    def close(self) -> None:
        """Make the call that is waited for, if there is one, and no other."""
        if self._pending is not None:
            self._pending.cancel()
        if not self._is_seen:
            self._call_late()

    def _call(self) -> None:
        began = time.monotonic()
        self._is_seen = True
        try:
            self._listener()
        finally:
            ended = time.monotonic()
            self._next = ended + (ended - began) / SHARE if ended - began > QUICK else 0.0

    def _call_late(self) -> None:
        self._pending = None
        try:
            if not self._is_seen:
                self._call()
        except Exception:  # no cell waits for it; the next change calls again
            _log.exception("what changed is shown after the next cell")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
