import numpy as np
import pandas as pd


def load(rng):
    """Load."""
    days = pd.date_range("2024-01-01", periods=60, freq="D")
    sales = pd.Series(np.arange(60) * 0.5 + rng.normal(size=60), index=days, name="sales")
    return sales
