import numpy as np
import pandas as pd

from plots.runtime.step.display import display


def signal():
    """Signal."""
    time = np.linspace(0, 1, 50)
    signal = pd.DataFrame({"time": time, "value": np.sin(2 * np.pi * time)})
    display(signal.describe())
    return signal
