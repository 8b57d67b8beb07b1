"""A budget of time for looking at a value, which the load of the machine hardly changes.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import time

PATIENCE = 10
"""How many times the budget may pass by the wall's clock while this process gets no time, or waits for a disk."""


class Budget:
    """Counts from its start. It is spent once this process has computed for so long, not while others do.

    Examples
    --------
    >>> Budget(60.0).spent(), Budget(None).spent(), Budget(1.0).spent(3600.0)
    (False, False, True)
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._began = time.perf_counter()
        self._worked = time.process_time()

    def spent(self, more: float = 0.0) -> bool:
        """Return whether the budget is spent, or would be after so many seconds more."""
        if self._seconds is None:
            return False
        passed = time.perf_counter() - self._began + more
        if passed <= self._seconds:  # the cheaper clock
            return False
        return passed > PATIENCE * self._seconds or time.process_time() - self._worked + more > self._seconds
