"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

# %% cell 1: Setup
from dataclasses import dataclass

import numpy as np
import pandas as pd

pd.set_option('display.precision', 2)
rng = np.random.default_rng(7)

# %% cell 2: Helpers
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

# %% cell 3: Load
days = pd.date_range('2024-01-01', periods=60, freq='D')
sales = pd.Series(np.arange(60) * 0.5 + rng.normal(size=60), index=days, name='sales')

# %% cell 4: Fit
level = smooth(sales)
slope, start = np.polyfit(np.arange(len(level)), level.to_numpy(), 1)
trend = Trend(float(slope), float(start))

# %% cell 5: Forecast
forecast = [trend.at(day) for day in range(60, 67)]
week = sum(forecast)
