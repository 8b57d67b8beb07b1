import numpy as np
import pandas as pd


def setup():
    """Setup."""
    pd.set_option("display.precision", 2)
    rng = np.random.default_rng(7)
    return rng
