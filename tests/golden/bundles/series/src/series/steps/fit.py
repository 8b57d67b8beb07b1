import numpy as np

from series.definitions import Trend, smooth


def fit(sales):
    """Fit.

    A line through the smoothed values.
    """
    level = smooth(sales)
    slope, start = np.polyfit(np.arange(len(level)), level.to_numpy(), 1)
    trend = Trend(float(slope), float(start))
    return level, trend
