"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

from linear.runtime.step.display import display

# %% cell 1
import numpy as np
import pandas as pd
from pathlib import Path

# %% cell 2: Load
days = pd.DataFrame({'day': range(6), 'rain': [0, 3.5, None, 1, 0, 2]})

# %% cell 3: Clean
# a missing reading was a dry day
days['rain'] = days['rain'].fillna(0.0)
display(days.head())

# %% cell 4: Summarise
def wet(frame):
    """Days with rain."""
    return int((frame['rain'] > 0).sum())

total = float(days['rain'].sum())
wet_days = wet(days)
