import numpy as np


def load(size=5):
    """Data."""
    values = np.linspace(1, 9, size)
    return values
