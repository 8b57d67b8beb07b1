"""Functions and classes that several steps use."""

from dataclasses import dataclass


@dataclass
class Trend:
    """A straight line through a series."""

    slope: float
    start: float

    def at(self, day):
        return self.start + self.slope * day


def smooth(series, window=7):
    # the first days have no full window
    return series.rolling(window, min_periods=1).mean()
