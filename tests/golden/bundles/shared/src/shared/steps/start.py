import numpy as np


def start():
    """Start."""
    box = {"values": [1, 2]}
    values = box["values"]
    np.random.seed(4)
    return box, values
