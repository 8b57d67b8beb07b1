"""Backoff: how long to wait before each retry. The pauses grow up to a longest one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """The lengths of the pauses before retries. Does not wait itself: its caller does.

    Parameters
    ----------
    first : seconds before the first retry.
    factor : each pause is this many times the one before.
    longest : seconds at which pauses stop growing. A `first` that is longer stays as it is.
    """

    first: float
    factor: float
    longest: float

    def pause(self, retry: int) -> float:
        """Return the seconds to wait before a retry; the first retry is number 1.

        Examples
        --------
        >>> Backoff(first=0.5, factor=2, longest=60.0).pause(3)
        2.0
        """
        longest = max(self.first, self.longest)
        try:
            return min(self.first * self.factor ** (retry - 1), longest)
        except OverflowError:
            return longest

    def pauses(self, retries: int) -> tuple[float, ...]:
        """Return the seconds to wait before each of `retries` retries.

        Examples
        --------
        >>> Backoff(first=20, factor=2, longest=60).pauses(4)
        (20, 40, 60, 60)
        """
        return tuple(self.pause(retry) for retry in range(1, retries + 1))
