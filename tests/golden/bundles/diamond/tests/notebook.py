"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

__parameters__ = globals().get("__parameters__", {'size': 4, 'factor': 2})

# %% cell 1
from statistics import mean

# %% cell 2
size = __parameters__['size']
rows = list(range(size))

# %% cell 3
factor = __parameters__['factor']
left = [r * factor for r in rows]

# %% cell 4
right = [r + 10 for r in rows]

# %% cell 5
score = mean(left) + mean(right)
print(f'the score is {score}')
