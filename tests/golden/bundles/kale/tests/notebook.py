"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

__parameters__ = globals().get("__parameters__", {'size': 5, 'factor': 2.0})
from kale.runtime.tracking import log_metrics

# %% cell 1
import numpy as np

# %% cell 2
def scaled(values, by):
    """Values over their largest, times a factor."""
    return values / values.max() * by

# %% cell 3
size = __parameters__['size']
factor = __parameters__['factor']

# %% cell 5: Data
values = np.linspace(1, 9, size)

# %% cell 6: Data
left = scaled(values, factor)

# %% cell 7: Data
right = scaled(values[::-1], 1)

# %% cell 8: Data
# together they are level
level = left + right

# %% cell 9: Data
spread = float(level.max() - level.min())

# %% cell 10: Data
print(spread)
log_metrics(spread=spread)
