"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

# %% cell 1: Start
import numpy as np
box = {'values': [1, 2]}
values = box['values']
np.random.seed(4)

# %% cell 2: Change
values.append(3)
draw = np.random.rand(2)

# %% cell 3: Use
def total(scale=1):
    return sum(box['values']) * scale + bonus

bonus = 5
result = total() + float(draw.sum())

# %% cell 4: Use again
bonus = 6
again = total(2)
