"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

from plots.runtime.step.display import display

# %% cell 1: Waves
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from plots.runtime.step.display import display

# %% cell 2: Signal
time = np.linspace(0, 1, 50)
signal = pd.DataFrame({'time': time, 'value': np.sin(2 * np.pi * time)})
display(signal.describe())

# %% cell 3: Look at it
fig, ax = plt.subplots()
ax.plot(signal['time'], signal['value'])
ax.set_xlabel('time')
plt.show()

# %% cell 4: Look at it
plt.hist(signal['value'])
plt.title('values')

# %% cell 5: Peak?
peak = signal.loc[signal['value'].idxmax()]
display(signal.tail(3))
highest = float(peak['value'])
